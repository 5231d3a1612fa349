// The benchmarks still run, and a sleeping thread stays within its memory limit. Measuring speed needs a quiet machine:
// see ratios.test.mjs.
//
// Tier: default.

import assert from "node:assert/strict";
import { test } from "node:test";
import { inWorker } from "../../benches/contenders.mjs";
import { bytes } from "../../benches/sections.mjs";
import { ratio } from "../../benches/stats.mjs";
import { measure } from "../../benches/vm.mjs";
import { benchmarkPages } from "./pages.mjs";

/** The memory limit of a sleeping thread, in bytes. */
const SLEEPING_BYTES = 1_536;
/** The growth step of memory, 16 MiB (crates/luau-runtime/src/ffi/heap.rs), per thread of the 100,000 that are measured. */
const STEP_BYTES = (16 * 1_048_576) / 100_000;

const newPage = benchmarkPages();

test("a workload runs in ours and in a peer, and they return the same", async () => {
  const page = await newPage();
  const contenders = [inWorker("ours", page), inWorker("wasmoon", page)];
  const table = await measure(contenders, { rounds: 1, sample: 1, workloads: ["queens"] });
  for (const contender of contenders) {
    await contender.end();
  }
  await page.close();
  const { samples, failures } = table.queens ?? { samples: {}, failures: { queens: "not measured" } };
  assert.deepEqual(failures, {});
  const { median } = ratio(samples.ours ?? [], samples.wasmoon ?? []);
  assert(Number.isFinite(median) && median > 0, `${median}`);
});

test("a sleeping thread costs less than 1.5 KiB", async () => {
  const { counted, growth } = await bytes(newPage);
  assert(counted < SLEEPING_BYTES, `${counted} bytes of the VM`);
  assert(growth < SLEEPING_BYTES + STEP_BYTES, `${growth} bytes of the module's memory`);
});
