// The runtime measurements that luau-web supports, in microseconds per operation. It does not copy tables, but accesses them through
// proxies.

import { LuauState } from "luau-web";

/**
 * Times an operation on a VM, and divides by the count.
 *
 * @param {number} count
 * @param {Record<string, unknown>} globals
 * @param {(state: LuauState) => Promise<() => unknown>} prepare
 */
async function timed(count, globals, prepare) {
  const state = await LuauState.createAsync(globals);
  const act = await prepare(state);
  const began = performance.now();
  await act();
  return ((performance.now() - began) * 1_000) / count;
}

/** @type {Record<string, (count: number) => Promise<number>>} */
export const runtime = {
  toLuau: (count) =>
    timed(count, {}, async (state) => {
      const [add] = await state.loadstring("return function(a, b) return a + b end", "add", true)();
      return async () => {
        for (let number = 0; number < count; number++) {
          await add(number, 1);
        }
      };
    }),
  toJs: (count) =>
    timed(count, { add: (/** @type {number} */ a, /** @type {number} */ b) => a + b }, async (state) =>
      state.loadstring(`for number = 1, ${count} do add(number, 1) end`, "loop", true),
    ),
  asyncJs: (count) =>
    timed(count, { later: async (/** @type {unknown} */ value) => value }, async (state) =>
      state.loadstring(`for number = 1, ${count} do later(number) end`, "loop", true),
    ),
};
