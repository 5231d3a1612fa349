// This package, used like a page would.

import { Luau } from "luau-websocket";

/** @type {import("./peer.js").Load} */
export async function load(source, { timeSlice } = {}) {
  const luau = await Luau.create({ globalScope: "vm", timeSlice: timeSlice ?? Number.POSITIVE_INFINITY });
  try {
    await luau.run(source, { chunkName: "workload" });
    const bench = /** @type {(count: number) => Promise<unknown[]>} */ (luau.get("bench"));
    return {
      run: async (count) => (await bench(count))[0],
      close: () => luau.dispose(),
    };
  } catch (error) {
    luau.dispose();
    throw error;
  }
}
