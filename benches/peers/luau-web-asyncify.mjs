// luau-web, in the build that it chooses if WebAssembly cannot wait for promises. This module makes the engine look like that.

Reflect.deleteProperty(WebAssembly, "Suspending");

const { load: loadIt } = await import("./luau-web.mjs");

/** @type {import("./peer.js").Load} */
export const load = loadIt;
