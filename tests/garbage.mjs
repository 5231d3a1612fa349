// Collects garbage at will, in tests of what JavaScript keeps alive.

import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");

/** Runs the collector once. Finalizers run in a later turn of the event loop. */
export const collect = /** @type {() => void} */ (runInNewContext("gc"));

/** Runs the collector and the finalizers, a few times over: one may release what the next round finds. */
export async function collectAll() {
  for (let round = 0; round < 5; round++) {
    collect();
    await setImmediate();
  }
}
