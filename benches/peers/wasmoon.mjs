// wasmoon: Lua 5.4, compiled with Emscripten.

import { LuaFactory } from "wasmoon";

const factory = new LuaFactory(new URL("./glue.wasm", import.meta.url).href);

/** @type {import("./peer.js").Load} */
export async function load(source) {
  const engine = await factory.createEngine();
  try {
    await engine.doString(source);
    const bench = engine.global.get("bench");
    return { run: (count) => bench(count), close: () => engine.global.close() };
  } catch (error) {
    engine.global.close();
    throw error;
  }
}
