// `cargo xtask bench`: ours and the peers side by side, in one run.

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { launchBrowser } from "../tests/server/browser.mjs";
import { startServer } from "../tests/server/server.mjs";
import { bundleOurs, bundlePeer, folder, PAGE_PEERS, root } from "./bundle.mjs";
import { inNode, inPage, inWorker, native } from "./contenders.mjs";
import { geometricMean, median, ratio } from "./stats.mjs";
import { measure } from "./vm.mjs";

const { values } = parseArgs({
  options: {
    rounds: { type: "string" },
    only: { type: "string" },
    peers: { type: "string" },
    pkg: { type: "string", multiple: true },
    workloads: { type: "string" },
  },
});

const rounds = Number(values.rounds ?? 3);
const packages = (values.pkg ?? [`ours=${join(root, "pkg")}`]).map((text) => {
  const [name, path] = text.includes("=") ? text.split("=") : ["ours", text];
  return { name: /** @type {string} */ (name), path: /** @type {string} */ (path) };
});
const peers = (values.peers ?? ["native", "node", ...PAGE_PEERS].join(",")).split(",");

const contenders = [];
if (peers.includes("native")) contenders.push(native());
for (const { name, path } of packages) {
  if (peers.includes("node") || peers.includes("page") || peers.some((p) => PAGE_PEERS.includes(p))) await bundleOurs(name, path);
  if (peers.includes("node")) contenders.push(inNode(`${name} (Node)`, `${name}-node`));
}
let browser, server;
if (peers.some((peer) => peer === "page" || PAGE_PEERS.includes(peer))) {
  server = await startServer({ root });
  browser = await launchBrowser();
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${server.port}/benches/hosts/page.html`);
  await page.waitForFunction(() => "bench" in window);
  for (const { name } of packages) contenders.push(inWorker(name, page));
  for (const peer of PAGE_PEERS) {
    if (peers.includes(peer)) {
      await bundlePeer(peer);
      contenders.push(inWorker(peer, page));
    }
  }
}
const t0 = Date.now();
const table = await measure(contenders, { rounds, ...(values.workloads ? { workloads: values.workloads.split(",") } : {}), say: (t) => console.error(t, ((Date.now() - t0) / 1000).toFixed(1)) });
const names = contenders.map((c) => c.name);
console.log(["workload".padEnd(14), ...names.map((n) => n.padStart(14))].join(" "));
const all = Object.fromEntries(names.map((n) => [n, /** @type {number[]} */ ([])]));
for (const [workload, { samples, failures }] of Object.entries(table)) {
  const base = samples[names[0]];
  console.log([workload.padEnd(14), ...names.map((n) => {
    if (!samples[n]) return "failed".padStart(14);
    const r = ratio(samples[n], base).median;
    all[n].push(r);
    return `${median(samples[n]).toFixed(2)} ${r.toFixed(2)}`.padStart(14);
  })].join(" "));
  for (const [n, reason] of Object.entries(failures)) console.log(`    ${n}: ${reason}`);
}
console.log(["geomean".padEnd(14), ...names.map((n) => geometricMean(all[n]).toFixed(3).padStart(14))].join(" "));
for (const c of contenders) await c.end();
await browser?.close();
await server?.close();
