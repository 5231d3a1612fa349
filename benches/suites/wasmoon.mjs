// The runtime measurements that wasmoon supports, in microseconds per operation.

import { LuaFactory } from "wasmoon";
import { records, text } from "./values.mjs";

const factory = new LuaFactory(new URL("./glue.wasm", import.meta.url).href);

/**
 * Times an operation on a VM, and divides by the count.
 *
 * @param {number} count
 * @param {(engine: import("wasmoon").LuaEngine) => Promise<() => unknown>} prepare
 */
async function timed(count, prepare) {
  const engine = await factory.createEngine({ enableProxy: false });
  try {
    const act = await prepare(engine);
    const began = performance.now();
    await act();
    return ((performance.now() - began) * 1_000) / count;
  } finally {
    engine.global.close();
  }
}

/** Sets or gets a global `count` times. */
const setting = (/** @type {unknown} */ value) => (/** @type {number} */ count) =>
  timed(count, async ({ global }) => () => {
    for (let number = 0; number < count; number++) {
      global.set("value", value);
    }
  });
const getting = (/** @type {unknown} */ value) => (/** @type {number} */ count) =>
  timed(count, async ({ global }) => {
    global.set("value", value);
    return () => {
      for (let number = 0; number < count; number++) {
        global.get("value");
      }
    };
  });

/** @type {Record<string, (count: number) => Promise<number>>} */
export const runtime = {
  toLuau: (count) =>
    timed(count, async (engine) => {
      await engine.doString("function add(a, b) return a + b end");
      const add = engine.global.get("add");
      return () => {
        for (let number = 0; number < count; number++) {
          add(number, 1);
        }
      };
    }),
  toJs: (count) =>
    timed(count, async (engine) => {
      engine.global.set("add", (/** @type {number} */ a, /** @type {number} */ b) => a + b);
      return () => engine.doString(`for number = 1, ${count} do add(number, 1) end`);
    }),
  asyncJs: (count) =>
    timed(count, async (engine) => {
      engine.global.set("later", async (/** @type {unknown} */ value) => value);
      return () => engine.doString(`for number = 1, ${count} do later(number):await() end`);
    }),
  stringIn: setting(text),
  stringOut: getting(text),
  recordsIn: setting(records()),
  recordsOut: getting(records()),
};
