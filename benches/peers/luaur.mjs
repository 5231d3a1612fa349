// luaur: Luau, translated to Rust; crates/bench-luaur.

import initialise, { Vm } from "luaur";

const ready = initialise({ module_or_path: new URL("./luaur_bg.wasm", import.meta.url) });

/** @type {import("./peer.js").Load} */
export async function load(source) {
  await ready;
  const vm = new Vm(source);
  return { run: (count) => vm.call("bench", count), close: () => vm.free() };
}
