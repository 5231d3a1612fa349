// The benchmarks still run, and a sleeping thread costs no more memory than it may. How fast anything is needs a quiet machine: see
// ratios.test.mjs.
//
// Tier: default.

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { launch } from "../../benches/browser.mjs";
import { bundleOurs, bundlePeer, root } from "../../benches/bundle.mjs";
import { inWorker } from "../../benches/contenders.mjs";
import { bytes } from "../../benches/sections.mjs";
import { ratio } from "../../benches/stats.mjs";
import { measure } from "../../benches/vm.mjs";
import { openServer } from "../server/browser.mjs";

/** How many bytes a sleeping thread may cost. */
const SLEEPING_BYTES = 1_536;

/** @type {Awaited<ReturnType<typeof openServer>> | undefined} */
let server;
/** @type {import("../../benches/browser.mjs").Browser | undefined} */
let browser;
/** @type {() => Promise<import("../../benches/browser.mjs").Page>} */
let newPage;

before(async () => {
  await bundleOurs("ours", join(root, "pkg"));
  await bundlePeer("wasmoon");
  server = await openServer();
  browser = await launch();
  const [{ port }, launched] = [server, browser];
  newPage = async () => {
    const page = await launched.newPage();
    await page.goto(`http://127.0.0.1:${port}/benches/hosts/page.html`);
    return page;
  };
});

after(async () => {
  await browser?.close();
  await server?.close();
});

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
  assert(growth < SLEEPING_BYTES, `${growth} bytes of the module's memory`);
});
