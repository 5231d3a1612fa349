// `cargo xtask bench`: ours and the peers side by side, in one run. CHROMIUM names the browser.

import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { launchBrowser } from "../tests/server/browser.mjs";
import { startServer } from "../tests/server/server.mjs";
import { launch } from "./browser.mjs";
import { bundleOurs, bundlePeer, folder, PAGE_PEERS, root } from "./bundle.mjs";
import { growthChart, vmChart } from "./chart.mjs";
import { inNode, inOwnPage, inPage, inWorker, native } from "./contenders.mjs";
import { report } from "./report.mjs";
import * as sections from "./sections.mjs";
import * as starts from "./start.mjs";
import { ratio } from "./stats.mjs";
import { compared, mean, ratios } from "./targets.mjs";
import * as vm from "./vm.mjs";

/** What can be measured. */
const SECTIONS = ["vm", "start", "sockets", "runtime", "growth"];

/** How many rounds there are unless it is told otherwise. */
const ROUNDS = 5;

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string" },
    only: { type: "string" },
    quick: { type: "boolean", default: false },
  },
});
const rounds = Number(options.rounds ?? (options.quick ? 1 : ROUNDS));
const only = options.only === undefined ? SECTIONS : options.only.split(",");
const has = (/** @type {string} */ section) => only.includes(section);

const began = performance.now();
/** Says what was done, on the error stream: the report may go to the other one. */
function say(/** @type {string} */ text) {
  console.error(`${((performance.now() - began) / 1_000).toFixed(0).padStart(4)} s  ${text}`);
}

await bundleOurs("ours", join(root, "pkg"));
for (const peer of PAGE_PEERS) {
  await bundlePeer(peer);
}
say("bundled all peers");

const server = await startServer({ root });
const browser = await launch();
const origin = `http://127.0.0.1:${server.port}`;

/** A page of the benchmarks. */
async function newPage() {
  const page = await browser.newPage();
  await page.goto(`${origin}/benches/hosts/page.html`);
  return page;
}

/** @type {import("./results.js").Results} */
const results = {
  date: new Date().toISOString().slice(0, 10),
  rounds,
  machine: `${cpus()[0]?.model.trim() ?? "an unknown processor"}, ${cpus().length} cores`,
  versions: versions(),
};

try {
  if (has("start")) {
    // This one tells what is loaded.
    const browser = await launchBrowser();
    try {
      const names = ["ours", ...PAGE_PEERS];
      results.start = await starts.measure(browser, origin, names, options.quick ? 1 : rounds * 2);
    } finally {
      await browser.close();
    }
    say("measured the start");
  }
  if (has("sockets")) {
    const page = await newPage();
    results.sockets = await sections.sockets(
      page,
      rounds,
      options.quick ? ["echo 32 B", "burst sent"] : undefined,
    );
    results.layer = await sections.layer(page, rounds * 2);
    await page.close();
    say("measured sockets");
  }
  if (has("runtime")) {
    results.bytes = await sections.bytes(newPage);
    const page = await newPage();
    results.runtime = await sections.runtime(page, rounds, ["wasmoon", "luau-web"]);
    await page.close();
    say("measured the runtime");
  }
  if (has("growth")) {
    const page = await newPage();
    results.growth = await sections.growth(page, Math.min(rounds, 3));
    await page.close();
    say("measured growth");
  }
  if (has("vm")) {
    const page = await newPage();
    const workloads = options.quick ? ["calls", "errors", "strings"] : vm.WORKLOADS;
    const contenders = [
      native(),
      inWorker("ours", page),
      inNode("ours (Node)", "ours-node"),
      inWorker("wasmoon", page),
      inOwnPage("luau-web", browser, page.url()),
      inOwnPage("luau-web-asyncify", browser, page.url()),
      inWorker("fengari", page),
      inWorker("luaur", page),
    ];
    results.vm = await vm.measure(contenders, { rounds, workloads, say });
    for (const contender of contenders) {
      await contender.end();
    }
    const own = await newPage();
    const sliced = [inPage("off", own, "ours", undefined), inPage("on", own, "ours", 8)];
    results.slices = await vm.measure(sliced, { rounds, workloads });
    say("measured time slices");
  }
} finally {
  await browser.close();
  await server.close();
}

await mkdir(folder, { recursive: true });
await writeFile(join(folder, "results.json"), JSON.stringify(results));
if (only.length === SECTIONS.length && !options.quick) {
  const benches = join(root, "benches");
  await writeFile(join(benches, "README.md"), report(results));
  await writeFile(join(benches, "vm.svg"), vmChart(/** @type {vm.Table} */ (results.vm)));
  await writeFile(join(benches, "growth.svg"), growthChart(results.growth ?? {}));
  await writeFile(join(benches, "recorded.json"), `${JSON.stringify(recorded(results), undefined, 2)}\n`);
  say("wrote benches/README.md");
} else {
  console.log(report(results));
}

/**
 * What the tests compare with.
 *
 * @param {import("./results.js").Results} results
 * @returns {import("./recorded.js").Recorded}
 */
function recorded({ vm = {}, slices = {}, runtime, sockets = {}, layer = {}, start = {} }) {
  const toPlain = (/** @type {Record<string, Record<string, number[]>>} */ rows) =>
    Object.fromEntries(
      Object.entries(rows).map(([name, { ours = [], plain = [] }]) => [
        name,
        rounded(ratio(ours, plain).median),
      ]),
    );
  const toWasmoon = ratios(vm, "ours", "wasmoon");
  return {
    vm: Object.fromEntries(toWasmoon.map(({ workload, median }) => [workload, rounded(median)])),
    slices: rounded(mean(ratios(slices, "on", "off"))),
    runtime: Object.fromEntries(
      Object.entries(compared(runtime?.samples ?? {})).map(([what, { median }]) => [what, rounded(median)]),
    ),
    start: rounded(ratio(start.ours?.samples ?? [], start.wasmoon?.samples ?? []).median),
    sockets: toPlain(sockets),
    layer: toPlain(layer),
  };
}

function rounded(/** @type {number} */ figure) {
  return Number(figure.toFixed(2));
}

/** The versions of all that takes part. */
function versions() {
  const { devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const lock = readFileSync(join(root, "Cargo.lock"), "utf8");
  const crate = (/** @type {string} */ name) =>
    new RegExp(`name = "${name}"\\nversion = "([^"]+)"`).exec(lock)?.[1] ?? "of an unknown version";
  return {
    "luau-websocket": crate("luau-websocket"),
    "Luau through mlua": `${crate("mlua")} (${crate("luau0-src")})`,
    wasmoon: devDependencies.wasmoon,
    "luau-web": devDependencies["luau-web"],
    fengari: devDependencies.fengari,
    luaur: crate("luaur"),
    Chromium: browser.version,
    Node: process.versions.node,
  };
}
