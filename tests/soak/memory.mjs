// What the page of the soak holds, measured through the browser's debugger after all garbage is collected.

/**
 * @typedef {object} Sample
 * @property {number} time seconds since the beginning
 * @property {number} vm bytes that scripts hold
 * @property {number} wasm bytes of the WebAssembly memory
 * @property {number} references places in the table of objects of JS that the module holds
 * @property {number} heap bytes of the heap of JS
 * @property {number} live WebSocket objects in the page that are not closed
 * @property {number} objects WebSocket objects in the page
 * @property {number} sockets those that the VM has
 * @property {number} threads
 * @property {number} timers
 */

/** @param {import("playwright-core").Page} page */
export async function startMeter(page) {
  const debug = await page.context().newCDPSession(page);
  const began = performance.now();

  /** @returns {Promise<Sample>} */
  return async () => {
    await debug.send("HeapProfiler.collectGarbage");
    const { usedSize: heap } = await debug.send("Runtime.getHeapUsage");
    const { memory: vm, ...others } = await page.evaluate(() => /** @type {any} */ (globalThis).soak.memory());
    return { time: (performance.now() - began) / 1_000, vm, heap, ...others };
  };
}

/** How many parts of the time are compared, after the first part of as many and one more, in which all warms up. */
const PARTS = 4;

/**
 * The lowest sample of each quarter, of each kind of memory. The lowest, since garbage of Luau comes and goes, and what grows
 * without end grows there too.
 *
 * @param {Sample[]} samples
 * @param {number} seconds
 */
export function quarters(samples, seconds) {
  const length = seconds / (PARTS + 1);
  const lowest = (/** @type {"vm" | "wasm" | "heap" | "references"} */ kind) =>
    Array.from({ length: PARTS }, (_, part) => {
      const [from, to] = [(part + 1) * length, (part + 2) * length];
      const own = samples.filter(({ time }) => time >= from && time < to);
      return Math.min(...own.map((sample) => sample[kind]));
    });
  return { vm: lowest("vm"), wasm: lowest("wasm"), heap: lowest("heap"), references: lowest("references") };
}
