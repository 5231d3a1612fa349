// Measures the memory that the page of the soak test holds after a full JS garbage collection.

/**
 * @typedef {object} Sample
 * @property {number} time seconds since the page was loaded
 * @property {number} vm bytes that scripts hold
 * @property {number} wasm bytes of the WebAssembly memory
 * @property {number} references entries in the table of JS objects that the module holds
 * @property {number} heap bytes of the heap of JS
 * @property {number} live WebSocket objects in the page that are not closed
 * @property {number} objects WebSocket objects in the page
 * @property {number} sockets the sockets that the VM has
 * @property {number} threads
 * @property {number} timers
 */

/**
 * Returns the lowest sample of each quarter of the time, for each kind of memory, without the first fifth as warm-up.
 * The lowest, because Luau garbage comes and goes, and a real leak shows there too.
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
