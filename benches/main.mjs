// `cargo xtask bench`: compares ours with the peers in one run. CHROMIUM is the path of the browser.

import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { launchBrowser } from "../tests/server/browser.mjs";
import { startServer } from "../tests/server/server.mjs";
import { launch } from "./browser.mjs";
import { bundleOurs, bundlePeer, folder, PAGE_PEERS, root } from "./bundle.mjs";
import { vmChart } from "./chart.mjs";
import { inNode, inOwnPage, inPage, inWorker, native } from "./contenders.mjs";
import { compared, mean, ratios } from "./ratios.mjs";
import { report } from "./report.mjs";
import * as sections from "./sections.mjs";
import * as starts from "./start.mjs";
import { ratio } from "./stats.mjs";
import * as vm from "./vm.mjs";

/** The names of all measurements. */
const SECTIONS = ["vm", "start", "sockets", "runtime"];

/** The default number of rounds. */
const ROUNDS = 5;

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string" },
    only: { type: "string" },
    before: { type: "string" },
    quick: { type: "boolean", default: false },
  },
});
const rounds = Number(options.rounds ?? (options.quick ? 1 : ROUNDS));
const only = options.only === undefined ? SECTIONS : options.only.split(",");
const has = (/** @type {string} */ section) => only.includes(section);

const began = performance.now();
/** Logs progress to stderr, because the report may go to stdout. */
function say(/** @type {string} */ text) {
  console.error(`${((performance.now() - began) / 1_000).toFixed(0).padStart(4)} s  ${text}`);
}

await bundleOurs("ours", join(root, "pkg"));
const others = options.before === undefined ? [] : ["before"];
if (options.before !== undefined) {
  await bundleOurs("before", resolve(options.before));
}
const builds = ["ours", ...others];
for (const peer of PAGE_PEERS) {
  await bundlePeer(peer);
}
say("bundled all peers");

const server = await startServer({ root });
const browser = await launch();
const origin = `http://127.0.0.1:${server.port}`;

/** Opens a page of the benchmarks. */
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
    // Playwright's browser reports what is loaded.
    const browser = await launchBrowser();
    try {
      const names = [...builds, ...PAGE_PEERS];
      results.start = await starts.measure(browser, origin, names, options.quick ? 1 : rounds * 2);
    } finally {
      await browser.close();
    }
    say("measured the start");
  }
  if (has("sockets")) {
    const names = options.quick ? ["echo 32 B", "burst sent"] : undefined;
    results.sockets = await sections.sockets(newPage, rounds, builds, names);
    results.layer = await sections.layer(newPage, rounds * 2, builds);
    say("measured sockets");
  }
  if (has("runtime")) {
    results.bytes = await sections.bytes(newPage);
    results.runtime = await sections.runtime(newPage, rounds, [...others, "wasmoon", "luau-web"]);
    say("measured the runtime");
  }
  if (has("vm")) {
    const page = await newPage();
    const workloads = options.quick ? ["calls", "errors", "strings"] : vm.WORKLOADS;
    const contenders = [
      native(),
      ...builds.map((name) => inWorker(name, page)),
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
const isComplete = only.length === SECTIONS.length && !options.quick;
if (isComplete) {
  const benches = join(root, "benches");
  /** @type {typeof results} */
  const own = JSON.parse(JSON.stringify(results, (key, value) => (key === "before" ? undefined : value)));
  await writeFile(join(benches, "README.md"), report(own));
  await writeFile(join(benches, "vm.svg"), vmChart(/** @type {vm.Table} */ (own.vm)));
  await writeFile(join(benches, "recorded.json"), `${JSON.stringify(recorded(own), undefined, 2)}\n`);
  say("wrote benches/README.md");
}
if (!isComplete || options.before !== undefined) {
  console.log(report(results));
}

/**
 * Returns the ratios with which the tests compare.
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

/** Returns the versions of all contenders. */
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
