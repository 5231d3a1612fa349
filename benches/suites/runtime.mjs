// The measurements of the runtime around the VM. All figures are microseconds per operation unless stated otherwise.

import { Luau } from "luau-websocket";
import { records, text } from "./values.mjs";

const OFF = Number.POSITIVE_INFINITY;

/**
 * The memories of the modules that were instantiated since this module was loaded. Our package does not export its own.
 *
 * @type {WebAssembly.Memory[]}
 */
const memories = [];
for (const name of /** @type {const} */ (["instantiate", "instantiateStreaming"])) {
  const original = /** @type {(...args: any[]) => Promise<any>} */ (WebAssembly[name]);
  WebAssembly[name] = async (/** @type {any[]} */ ...args) => {
    const result = await original.apply(WebAssembly, args);
    const { exports } = result instanceof WebAssembly.Instance ? result : result.instance;
    const memory = Object.values(exports).find((value) => value instanceof WebAssembly.Memory);
    if (memory !== undefined) {
      memories.push(/** @type {WebAssembly.Memory} */ (memory));
    }
    return result;
  };
}

/** Returns the total size of all memories, in bytes. */
const allocated = () => memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);

/**
 * Times an operation on a VM, and divides by the count.
 *
 * @param {import("luau-websocket").LuauOptions} options
 * @param {number} count
 * @param {(luau: Luau) => Promise<() => unknown>} prepare
 */
async function timed(options, count, prepare) {
  const luau = await Luau.create({ timeSlice: OFF, ...options });
  try {
    const act = await prepare(luau);
    const began = performance.now();
    await act();
    return ((performance.now() - began) * 1_000) / count;
  } finally {
    luau.dispose();
  }
}

/** Sets or gets a global `count` times. */
const setting = (/** @type {unknown} */ value) => (/** @type {number} */ count) =>
  timed({}, count, async (luau) => () => {
    for (let number = 0; number < count; number++) {
      luau.set("value", value);
    }
  });
const getting = (/** @type {unknown} */ value) => (/** @type {number} */ count) =>
  timed({}, count, async (luau) => {
    luau.set("value", value);
    return () => {
      for (let number = 0; number < count; number++) {
        luau.get("value");
      }
    };
  });

/** @type {Record<string, (count: number) => Promise<number>>} */
export const runtime = {
  spawn: (count) =>
    timed(
      {},
      count,
      async (luau) => () =>
        luau.run("local function f() end for _ = 1, ... do task.spawn(f) end", { args: [count] }),
    ),

  defer: (count) =>
    timed({}, count, async (luau) => async () => {
      await luau.run("local function f() end for _ = 1, ... do task.defer(f) end", { args: [count] });
      await luau.idle();
    }),

  /** The cost of the threads of `task.defer` without it. */
  coroutine: (count) =>
    timed(
      {},
      count,
      async (luau) => () =>
        luau.run(
          `local function f() end
           local threads = table.create(...)
           for number = 1, ... do threads[number] = coroutine.create(f) end
           for _, thread in threads do coroutine.resume(thread) end`,
          { args: [count] },
        ),
    ),

  /** Threads that sleep and wake, from start to end. */
  sleep: (count) =>
    timed({}, count, async (luau) => async () => {
      await luau.run(
        `local left = ...
         local thread = coroutine.running()
         local function sleep()
           task.wait(0.004)
           left -= 1
           if left == 0 then task.spawn(thread) end
         end
         for _ = 1, left do task.spawn(sleep) end
         coroutine.yield()`,
        { args: [count] },
      );
    }),

  /** Threads that are started, until they sleep. */
  sleeping: (count) =>
    timed(
      {},
      count,
      async (luau) => () =>
        luau.run("local function f() task.wait(3600) end for _ = 1, ... do task.spawn(f) end", {
          args: [count],
        }),
    ),

  /** The size of a sleeping thread as counted by the VM, in bytes. */
  async sleepingBytes(count) {
    const luau = await Luau.create({ timeSlice: OFF });
    const before = luau.stats.memory;
    await luau.run("local function f() task.wait(3600) end for _ = 1, ... do task.spawn(f) end", {
      args: [count],
    });
    const bytes = (luau.stats.memory - before) / count;
    luau.dispose();
    return bytes;
  },

  /** The size of a sleeping thread by the growth of the module's memory, in bytes, in a page where nothing else has run. */
  async sleepingGrowth(count) {
    const luau = await Luau.create({ timeSlice: OFF });
    const before = allocated();
    await luau.run("local function f() task.wait(3600) end for _ = 1, ... do task.spawn(f) end", {
      args: [count],
    });
    const bytes = (allocated() - before) / count;
    luau.dispose();
    return bytes;
  },

  toLuau: (count) =>
    timed({}, count, async (luau) => {
      const [add] = /** @type {((a: number, b: number) => Promise<unknown[]>)[]} */ (
        await luau.run("return function(a, b) return a + b end")
      );
      if (add === undefined) {
        throw new Error("the script returned nothing");
      }
      return async () => {
        for (let number = 0; number < count; number++) {
          await add(number, 1);
        }
      };
    }),

  toJs: (count) =>
    timed(
      { globals: { add: (/** @type {number} */ a, /** @type {number} */ b) => a + b } },
      count,
      async (luau) => () => luau.run("for number = 1, ... do add(number, 1) end", { args: [count] }),
    ),

  asyncJs: (count) =>
    timed(
      { globals: { later: async (/** @type {unknown} */ value) => value } },
      count,
      async (luau) => () => luau.run("for number = 1, ... do later(number) end", { args: [count] }),
    ),

  stringIn: setting(text),
  stringOut: getting(text),
  recordsIn: setting(records()),
  recordsOut: getting(records()),
};
