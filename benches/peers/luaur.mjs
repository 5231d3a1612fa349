// luaur: a Rust port of Luau, compiled in crates/bench-luaur.

import initialize, { Vm } from "luaur";

const ready = initialize({ module_or_path: new URL("./luaur_bg.wasm", import.meta.url) });

/** @type {import("./peer.js").Load} */
export async function load(source) {
  await ready;
  const vm = new Vm(source);
  return { run: (count) => vm.call("bench", count), close: () => vm.free() };
}
