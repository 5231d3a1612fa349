// Collects garbage on demand, for tests of what JavaScript keeps alive.

import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { eventually } from "./eventually.mjs";

setFlagsFromString("--expose-gc");

/** Runs the collector once. Finalizers run in a later turn of the event loop. */
export const collect = /** @type {() => void} */ (runInNewContext("gc"));

/** Runs the collector and the finalizers several times, because one round may release what the next one finds. */
export async function collectAll() {
  for (let round = 0; round < 5; round++) {
    collect();
    await setImmediate();
  }
}

/**
 * Runs the collector until the condition holds. On a busy machine the engine's compiler threads keep garbage alive for a while.
 *
 * @param {() => boolean} isDone
 */
export function collectUntil(isDone) {
  return eventually(() => {
    collect();
    return isDone();
  });
}
