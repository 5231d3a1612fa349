// luau-web, in the build that it chooses if WebAssembly can wait for promises.

import { LuauState } from "luau-web";

/** @type {import("./peer.js").Load} */
export async function load(source) {
  const state = await LuauState.createAsync();
  try {
    await state.loadstring(source, "workload", true)();
    const [bench] = await state.loadstring("return bench", "get", true)();
    return { run: async (count) => (await bench(count))[0], close: () => state.destroy() };
  } catch (error) {
    state.destroy();
    throw error;
  }
}
