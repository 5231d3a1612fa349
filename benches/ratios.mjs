// Ratios between contenders.

import { geometricMean, ratio } from "./stats.mjs";

/**
 * Returns the ratios of two contenders, for all workloads that both completed.
 *
 * @param {import("./vm.mjs").Table} table
 * @param {string} name
 * @param {string} other
 */
export function ratios(table, name, other) {
  return Object.entries(table).flatMap(([workload, { samples }]) => {
    const [mine, theirs] = [samples[name], samples[other]];
    return mine === undefined || theirs === undefined ? [] : [{ workload, ...ratio(mine, theirs) }];
  });
}

/** The measurements that are compared with the cost of the threads that they create. */
const OF_THREADS = ["spawn", "defer", "sleeping", "sleep"];

/**
 * Returns the runtime measurements relative to a reference that slows down with the machine in the same way: the same measurement in
 * wasmoon, or bare threads. Measurements without a reference are left out.
 *
 * @param {Record<string, Record<string, number[]>>} samples
 * @returns {Record<string, import("./stats.mjs").Ratio>}
 */
export function compared(samples) {
  return Object.fromEntries(
    Object.entries(samples).flatMap(([what, { ours = [], wasmoon }]) => {
      const beside = OF_THREADS.includes(what) ? samples.coroutine?.ours : wasmoon;
      return beside === undefined ? [] : [[what, ratio(ours, beside)]];
    }),
  );
}

/** Returns the geometric mean of these ratios. */
export function mean(/** @type {{ median: number }[]} */ list) {
  return geometricMean(list.map(({ median }) => median));
}

/** Formats an integer with commas. */
export function whole(/** @type {number} */ figure) {
  return Math.round(figure).toLocaleString("en");
}
