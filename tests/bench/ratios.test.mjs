// Nothing has become twice as slow as it was, and improvements are kept: this runs short benchmarks and compares the
// ratios with those that the last full run recorded.
//
// The best of a few rounds counts, because other work on the machine makes ratios worse, and hardly ever better.
//
// Tier: full.
// Needs: a quiet machine.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { root } from "../../benches/bundle.mjs";
import { inPage, inWorker } from "../../benches/contenders.mjs";
import { compared, mean, ratios } from "../../benches/ratios.mjs";
import { layer, runtime, sockets } from "../../benches/sections.mjs";
import { measure as measureStart } from "../../benches/start.mjs";
import { geometricMean, ratio } from "../../benches/stats.mjs";
import { measure } from "../../benches/vm.mjs";
import { launchBrowser } from "../server/browser.mjs";
import { benchmarkPages } from "./pages.mjs";

/** The factor by which a ratio may exceed the recorded one. */
const MARGIN = 2;

/** The factor for a mean over many workloads, which varies less. */
const MEAN_MARGIN = 1.25;

/** The duration of one sample of a workload, in milliseconds. */
const SAMPLE = 10;

const ROUNDS = 3;

/** @type {import("../../benches/recorded.js").Recorded} */
const recorded = JSON.parse(readFileSync(join(root, "benches/recorded.json"), "utf8"));

const newPage = benchmarkPages();
/** @type {import("../../benches/browser.mjs").Page} */
let page;

before(async () => {
  page = await newPage();
});

/**
 * Compares the lowest of the ratios with the recorded one.
 *
 * @param {string} name
 * @param {number} low
 * @param {number | undefined} expected
 */
function problem(name, low, expected) {
  if (expected === undefined) {
    return [`${name} is not recorded: run cargo xtask bench`];
  }
  return low > MARGIN * expected ? [`${name}: ${low.toFixed(2)}, and it was ${expected.toFixed(2)}`] : [];
}

// Native Luau would be a better reference, but compiling it takes longer than all of this.
test("the workloads of the VM, relative to wasmoon, which takes longer for them", async () => {
  const contenders = [inWorker("ours", page), inWorker("wasmoon", page)];
  const table = await measure(contenders, { rounds: ROUNDS, sample: SAMPLE });
  const problems = Object.entries(table).flatMap(([workload, { samples, failures }]) => {
    const { ours, wasmoon } = samples;
    return ours === undefined || wasmoon === undefined
      ? [`${workload}: ${JSON.stringify(failures)}`]
      : problem(workload, ratio(ours, wasmoon).low, recorded.vm[workload]);
  });
  for (const contender of contenders) {
    await contender.end();
  }
  assert.deepEqual(problems, []);
  assert(mean(ratios(table, "ours", "wasmoon")) < 1);
});

test("the workloads of the VM, with time slices relative to without", async () => {
  const own = await newPage();
  const table = await measure([inPage("off", own, "ours", undefined), inPage("on", own, "ours", 8)], {
    rounds: ROUNDS,
    sample: SAMPLE,
  });
  await own.close();
  const low = geometricMean(ratios(table, "on", "off").map(({ low }) => low));
  assert(low <= MEAN_MARGIN * recorded.slices, `${low.toFixed(2)}, and it was ${recorded.slices}`);
});

test("threads of the runtime, relative to bare ones, and what crosses, relative to wasmoon", async () => {
  const names = [
    "coroutine",
    "spawn",
    "defer",
    "sleeping",
    "toLuau",
    "toJs",
    "asyncJs",
    "recordsIn",
    "recordsOut",
  ];
  const { samples, failures } = await runtime(newPage, ROUNDS, ["wasmoon"], names);
  assert.deepEqual(failures, {});
  const entries = Object.entries(compared(samples));
  assert.equal(entries.length, names.length - 1);
  assert.deepEqual(
    entries.flatMap(([what, { low }]) => problem(what, low, recorded.runtime[what])),
    [],
  );
});

test("from the import to the first result, relative to wasmoon", async (t) => {
  const telling = await launchBrowser();
  t.after(() => telling.close());
  const { ours, wasmoon } = await measureStart(
    telling,
    new URL(page.url()).origin,
    ["ours", "wasmoon"],
    ROUNDS,
  );
  const { low } = ratio(ours?.samples ?? [], wasmoon?.samples ?? []);
  assert.deepEqual(problem("the start", low, recorded.start), []);
});

test("sockets, relative to plain JavaScript", async () => {
  const results = await sockets(newPage, 1, ["ours"], ["echo 32 B", "burst received", "burst sent"]);
  const problems = Object.entries(results).flatMap(([name, { ours = [], plain = [] }]) =>
    problem(name, ratio(ours, plain).low, recorded.sockets[name]),
  );
  assert.deepEqual(problems, []);
});

test("the script layer, relative to plain JavaScript", async () => {
  const results = await layer(newPage, ROUNDS, ["ours"], [1, 10]);
  const problems = Object.entries(results).flatMap(([handlers, { ours = [], plain = [] }]) =>
    problem(`${handlers} handlers`, ratio(ours, plain).low, recorded.layer[handlers]),
  );
  assert.deepEqual(problems, []);
});
