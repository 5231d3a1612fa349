// What the page of the soak holds, measured after all garbage of JS is collected.

/**
 * @typedef {object} Sample
 * @property {number} time seconds since the page was loaded
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

/**
 * The lowest sample of each quarter of the time, of each kind of memory; the first fifth, in which all warms up, is left out. The
 * lowest, since garbage of Luau comes and goes, and what grows without end grows there too.
 *
 * @param {Sample[]} samples
 * @param {number} seconds
 */
export function quarters(samples, seconds) {
  const warm = samples.filter(({ time }) => time >= seconds / 5 && time < seconds);
  const length = warm.length / 4;
  const lowest = (/** @type {"vm" | "wasm" | "heap" | "references"} */ kind) =>
    [0, 1, 2, 3].map((quarter) => {
      const own = warm.slice(Math.floor(quarter * length), Math.floor((quarter + 1) * length));
      return Math.min(...own.map((sample) => sample[kind]));
    });
  return { vm: lowest("vm"), wasm: lowest("wasm"), heap: lowest("heap"), references: lowest("references") };
}
