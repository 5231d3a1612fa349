// Host functions with effects that no program may have. The fuzzer's own tests use them to check that it notices.

import { cpuTime } from "./turns.mjs";

/**
 * The time that `spin` blocks the event loop, in milliseconds of processor time: longer than any limit of the tests
 * plus all tolerances.
 */
const SPIN_MS = 4_000;

export const sabotage = {
  exit: () => process.exit(7),
  strand: () => void Promise.reject(new Error("stranded")),
  spin: () => {
    const end = cpuTime() + SPIN_MS;
    while (cpuTime() < end);
  },
};
