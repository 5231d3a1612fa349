// Gives tests access to the WebAssembly instances behind VMs: their number, and real faults inside them.

import assert from "node:assert/strict";

/**
 * All instances, the newest last. They are held weakly, for tests of what keeps them alive.
 *
 * @type {WeakRef<WebAssembly.Instance>[]}
 */
export const instances = [];

const { instantiate } = WebAssembly;
Object.assign(WebAssembly, {
  /** @param {Parameters<typeof instantiate>} args */
  async instantiate(...args) {
    const instance = /** @type {any} */ (await instantiate(...args));
    // Node's own `fetch` uses WebAssembly too.
    if ("vm_new" in (instance.exports ?? {})) {
      instances.push(new WeakRef(instance));
    }
    return instance;
  },
});

/** Returns the number of instances that have not been garbage-collected. */
export const remaining = () => instances.filter((instance) => instance.deref() !== undefined).length;

/**
 * Overwrites the memory of an instance, so that the next call into it traps.
 *
 * @param {number} [place] the index of the instance; the newest one by default
 */
export function ruin(place = -1) {
  const instance = instances.at(place)?.deref();
  assert(instance);
  const memory = /** @type {WebAssembly.Memory} */ (instance.exports.memory);
  new Uint8Array(memory.buffer).fill(0xa5);
}
