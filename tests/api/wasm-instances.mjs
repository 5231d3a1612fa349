// The WebAssembly instances behind the VMs of a test: how many there are, and real faults inside of them.

import assert from "node:assert/strict";

/** The newest one is the last. They are held weakly, for tests of what keeps them alive. @type {WeakRef<WebAssembly.Instance>[]} */
export const instances = [];

const { instantiate } = WebAssembly;
Object.assign(WebAssembly, {
  /** @param {Parameters<typeof instantiate>} args */
  async instantiate(...args) {
    const instance = /** @type {any} */ (await instantiate(...args));
    // Node's own `fetch` is WebAssembly too.
    if ("vm_new" in (instance.exports ?? {})) {
      instances.push(new WeakRef(instance));
    }
    return instance;
  },
});

/** How many of them the garbage collector has not taken. */
export const remaining = () => instances.filter((instance) => instance.deref() !== undefined).length;

/**
 * Fills the memory of an instance with rubbish, so that the next call into it traps.
 *
 * @param {number} [place] of the instance; the newest one by default
 */
export function ruin(place = -1) {
  const instance = instances.at(place)?.deref();
  assert(instance);
  const memory = /** @type {WebAssembly.Memory} */ (instance.exports.memory);
  new Uint8Array(memory.buffer).fill(0xa5);
}
