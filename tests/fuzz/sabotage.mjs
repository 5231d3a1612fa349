// Host functions that do what no program may lead to. The tests of the fuzzer see by them that it notices.

import { cpuTime } from "./turns.mjs";

/**
 * How long `spin` keeps the event loop, in milliseconds of the processor: longer than any limit that the tests set, with all that is added
 * to it.
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
