// luau-web, in the build that it chooses by itself where WebAssembly cannot wait for promises: such an engine is what it is shown.

Reflect.deleteProperty(WebAssembly, "Suspending");

const { load: loadIt } = await import("./luau-web.mjs");

/** @type {import("./peer.js").Load} */
export const load = loadIt;
