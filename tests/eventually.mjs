// Waits for what a test expects, however busy the machine is.

import { setTimeout as sleep } from "node:timers/promises";

/** The deadline, in milliseconds. It only keeps a broken test from hanging: a busy machine must not reach it. */
const DEADLINE_MS = 60_000;

/** The time between two checks, in milliseconds. */
const INTERVAL_MS = 5;

/**
 * Waits until the condition holds, and fails if it never does.
 *
 * @param {() => unknown} condition may return a promise
 * @param {() => string} [describe] returns a description of the state if it never holds
 */
export async function eventually(condition, describe = () => String(condition)) {
  const deadline = performance.now() + DEADLINE_MS;
  while (!(await condition())) {
    if (performance.now() > deadline) {
      throw new Error(`still not so after ${DEADLINE_MS / 1_000} s: ${describe()}`);
    }
    await sleep(INTERVAL_MS);
  }
}
