// What this project wants to reach, and whether a run shows it.

import { geometricMean, median, ratio } from "./stats.mjs";

/** @typedef {import("./results.js").Results} Results */
/** @typedef {{ target: string, figure: string, met: boolean }} Target */

/** The peers that run the same workloads in the page. */
const PEERS = ["wasmoon", "luau-web", "luau-web-asyncify", "fengari", "luaur"];

/**
 * The ratios of two contenders, over all workloads that both of them did.
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

/** What is compared with what the threads cost that it makes. */
const OF_THREADS = ["spawn", "defer", "sleeping", "sleep"];

/**
 * What the runtime does beside something that moves as it does when the machine is slower: the same in wasmoon, or bare threads. What
 * has neither is left out.
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

/** The geometric mean of such ratios. */
export function mean(/** @type {{ median: number }[]} */ list) {
  return geometricMean(list.map(({ median }) => median));
}

/** @returns {Target[]} those that the results can tell of */
export function targets(/** @type {Results} */ { vm, slices, sockets, layer, runtime, bytes, start }) {
  /** @type {Target[]} */
  const list = [];
  const times = (/** @type {number} */ figure) => `${figure.toFixed(2)} ×`;
  const add = (/** @type {string} */ target, /** @type {string} */ figure, /** @type {boolean} */ met) =>
    list.push({ target, figure, met });

  if (vm !== undefined) {
    const toNative = ratios(vm, "ours", "native");
    const worst = toNative.reduce((a, b) => (b.median > a.median ? b : a));
    add("VM: at most 1.25 × native in geometric mean", times(mean(toNative)), mean(toNative) <= 1.25);
    add("VM: no workload above 2 × native", `${times(worst.median)} (${worst.workload})`, worst.median <= 2);
    for (const peer of PEERS) {
      const toOurs = ratios(vm, peer, "ours");
      if (toOurs.length === 0) {
        add(`VM: faster than ${peer}`, `${peer} ran none of the workloads`, true);
        continue;
      }
      const slower = toOurs.filter(({ median }) => median < 1).map(({ workload }) => workload);
      add(
        `VM: faster than ${peer} on every workload`,
        slower.length === 0 ? `on all ${toOurs.length} that it ran` : `not on ${slower.join(", ")}`,
        slower.length === 0,
      );
      add(`VM: ${peer} takes at least 2 × as long in geometric mean`, times(mean(toOurs)), mean(toOurs) >= 2);
    }
  }
  if (slices !== undefined) {
    const on = mean(ratios(slices, "on", "off"));
    add("VM: with time slices at most 1.25 × the time without, in geometric mean", times(on), on <= 1.25);
  }
  for (const [name, { ours = [], plain = [] }] of Object.entries(sockets ?? {})) {
    const { median: figure } = ratio(ours, plain);
    if (name.startsWith("echo")) {
      add(
        `Sockets, ${name}: at most 1.05 of the round trip of plain JavaScript`,
        times(figure),
        figure <= 1.05,
      );
    } else {
      add(
        `Sockets, ${name}: at least 0.95 of the throughput of plain JavaScript`,
        times(1 / figure),
        1 / figure >= 0.95,
      );
    }
  }
  if (layer?.[1]?.ours !== undefined) {
    const figure = median(layer[1].ours);
    add(
      "The script layer: a synthetic message of 32 bytes in under 1.5 µs",
      `${figure.toFixed(2)} µs`,
      figure < 1.5,
    );
  }
  if (runtime?.samples.defer?.ours !== undefined) {
    const figure = 1_000_000 / median(runtime.samples.defer.ours);
    add("`task.defer`: at least 1,000,000 a second", whole(figure), figure >= 1_000_000);
  }
  if (bytes !== undefined) {
    const figure = Math.max(bytes.counted, bytes.growth);
    add("A sleeping thread: under 1.5 KiB", `${whole(figure)} bytes`, figure < 1_536);
  }
  if (start?.ours?.module !== undefined) {
    const figure = start.ours.module.brotli;
    add(
      "luau.wasm: at most 260 kB packed with brotli",
      `${(figure / 1_000).toFixed(0)} kB`,
      figure <= 260_000,
    );
    for (const peer of ["luau-web", "luau-web-asyncify", "wasmoon"]) {
      const theirs = start[peer];
      if (theirs !== undefined && theirs.failure === undefined) {
        const [mine, other] = [median(start.ours.samples), median(theirs.samples)];
        add(`Start: sooner than ${peer}`, `${mine.toFixed(0)} ms and ${other.toFixed(0)} ms`, mine < other);
      }
    }
  }
  return list;
}

/** A whole number, with commas. */
export function whole(/** @type {number} */ figure) {
  return Math.round(figure).toLocaleString("en");
}
