// Writes the results as Markdown, for benches/README.md.

import { mean, ratios, whole } from "./ratios.mjs";
import { RUNTIME } from "./sections.mjs";
import { median, ratio } from "./stats.mjs";
import { hasVariant } from "./vm.mjs";

/** @typedef {import("./results.js").Results} Results */

const NAMES = /** @type {Record<string, string>} */ ({
  ours: "ours",
  "ours (Node)": "ours, Node",
  "luau-web-asyncify": "luau-web, Asyncify",
  "luau-web": "luau-web, JSPI",
});

const nameOf = (/** @type {string} */ name) => NAMES[name] ?? name;

/** Returns the report of a run. */
export function report(/** @type {Results} */ results) {
  const parts = [
    introduction(results),
    results.vm && vm(results.vm),
    results.slices && slices(results.slices),
    results.start && start(results.start),
    results.sockets && sockets(results.sockets),
    results.layer && layer(results.layer),
    results.runtime && runtime(results.runtime, results.bytes),
    builds(results),
  ];
  return `${parts.filter(Boolean).join("\n\n")}\n`;
}

function introduction(/** @type {Results} */ { date, rounds, machine, versions }) {
  const list = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `# Benchmarks

\`cargo xtask bench\` wrote this on ${date}, after ${rounds} round${rounds === 1 ? "" : "s"} on ${machine}. Contenders: ${list.join(", ")}.

All contenders take part in the same run. In each round they run each workload one directly after the other, and each round begins with
another contender. A figure is the median over the rounds. A ratio is the median of the ratios of the rounds, with the lowest and the
highest in brackets. The first call of each contender warms it up and is not counted. If a contender fails, the table says why.

- Native is the same version of Luau through mlua, built with the same options, without its code generator. It runs the same scripts in a
  process of its own.
- wasmoon, fengari, luaur and ours run in workers of headless Chromium, and "ours, Node" is the same package in Node. luau-web runs in
  pages, because one of its two builds refuses to run in a worker, and in a new page for each workload, because it never returns all of its
  17 MB of memory.
- The workloads are in \`benches/vm\`. Each checks its computation and returns a sum on which all contenders must agree. Workloads with
  buffers, vectors or \`bit32\` have a variant for Lua 5.3 and newer, which wasmoon and fengari run.
- Time slices are off unless a table says otherwise. That is the default in workers and in Node.`;
}

/** Returns a Markdown table. */
function table(/** @type {string[]} */ head, /** @type {string[][]} */ rows) {
  const line = (/** @type {string[]} */ cells) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, index) => (index === 0 ? "---" : "---:"))), ...rows.map(line)].join(
    "\n",
  );
}

/** Formats a number with three significant digits. */
function short(/** @type {number} */ figure) {
  if (figure >= 100) {
    return whole(figure);
  }
  return figure.toFixed(figure >= 10 ? 1 : 2);
}

/** Formats a ratio with its spread. */
function spread(/** @type {import("./stats.mjs").Ratio} */ { median, low, high }) {
  return `${short(median)} (${short(low)}–${short(high)})`;
}

function vm(/** @type {import("./vm.mjs").Table} */ rows) {
  const names = [
    ...new Set(Object.values(rows).flatMap((row) => Object.keys({ ...row.samples, ...row.failures }))),
  ];
  const others = names.filter((name) => name !== "native" && !name.startsWith("ours"));
  const mine = names.filter((name) => name.startsWith("ours"));
  /** @type {string[]} */
  const reasons = [];
  const body = Object.entries(rows).map(([workload, { samples, failures }]) => {
    const cell = (/** @type {string} */ name, /** @type {string} */ base) => {
      const [figures, bases] = [samples[name], samples[base]];
      if (figures !== undefined && bases !== undefined) {
        return spread(ratio(figures, bases));
      }
      const reason = `${nameOf(name)} ${tidy(failures[name] ?? "is not comparable")}`;
      if (!reasons.includes(reason)) {
        reasons.push(reason);
      }
      return `fails [${reasons.indexOf(reason) + 1}]`;
    };
    return [
      hasVariant(workload) ? `${workload} *` : workload,
      samples.native === undefined ? "fails" : median(samples.native).toFixed(2),
      ...mine.map((name) => cell(name, "native")),
      ...others.map((name) => cell(name, "ours")),
    ];
  });
  const means = [
    "**geometric mean**",
    "",
    ...mine.map((name) => `**${mean(ratios(rows, name, "native")).toFixed(2)}**`),
    ...others.map((name) => {
      const list = ratios(rows, name, "ours");
      return list.length === 0 ? "" : `**${short(mean(list))}**`;
    }),
  ];
  const head = [
    "workload",
    "native, ms",
    ...mine.map((name) => `${nameOf(name)}, × native`),
    ...others.map((name) => `${nameOf(name)}, × ours`),
  ];
  const notes = reasons.map((reason, index) => `${index + 1}. ${reason}`).join("\n");
  return `## The VM

![Time of each contender relative to native Luau, workload by workload](vm.svg)

Ours is compared with native Luau: 1 is as fast. The peers are compared with ours: above 1, ours is faster.

${table(head, [...body, means])}

\\* has a variant for Lua, which does the same without Luau's own features${notes === "" ? "" : `\n\n${notes}`}`;
}

/** Returns the message of a failure in one line. */
function tidy(/** @type {string} */ reason) {
  const line = /** @type {string} */ (reason.split("\n")[0]).replaceAll("|", "\\|");
  return line.startsWith("returned") || line.startsWith("no answer") ? line : `says: ${line.slice(0, 160)}`;
}

function slices(/** @type {import("./vm.mjs").Table} */ rows) {
  const list = ratios(rows, "on", "off");
  return `## Time slices

The same workloads in a page, with time slices of 8 ms, which are the default there, relative to the time without.

${table(
  ["workload", "on, × off"],
  [
    ...list.map((entry) => [entry.workload, spread(entry)]),
    ["**geometric mean**", `**${mean(list).toFixed(2)}**`],
  ],
)}`;
}

function start(/** @type {Record<string, import("./start.mjs").Start>} */ starts) {
  const kb = (/** @type {number} */ bytes) => (bytes / 1_000).toFixed(0);
  const rows = Object.entries(starts).map(([name, { samples, sizes, module, failure }]) => [
    nameOf(name),
    failure !== undefined
      ? `fails: ${failure}`
      : `${median(samples).toFixed(0)} (${Math.min(...samples).toFixed(0)}–${Math.max(...samples).toFixed(0)})`,
    kb(sizes.raw),
    kb(sizes.gzip),
    kb(sizes.brotli),
    module === undefined ? "" : kb(module.raw),
    module === undefined ? "" : kb(module.brotli),
  ]);
  return `## Start and size

The time from the import to the first result, over loopback, in a browser with an empty cache, and the size of everything that this loads, in
kB, bundled and minified by esbuild. A contender without a WebAssembly file has it inside its script, or has none.

${table(["", "ms", "raw", "gzip", "brotli", "wasm, raw", "wasm, brotli"], rows)}`;
}

function sockets(/** @type {NonNullable<Results["sockets"]>} */ rows) {
  const body = Object.entries(rows).map(([name, { ours = [], plain = [] }]) => [
    name,
    short(median(plain)),
    short(median(ours)),
    spread(ratio(ours, plain)),
  ]);
  return `## Sockets

Microseconds per message, with a server on the same machine, in plain JavaScript and in a script. Both run in the same page, with its default
time slices. A browser opens the 200 connections one after the other. The figure is for messages on the open connections.

${table(["", "plain, µs", "ours, µs", "ours, × plain"], body)}`;
}

function layer(/** @type {NonNullable<Results["layer"]>} */ rows) {
  const body = Object.entries(rows).map(([handlers, { ours = [], sliced = [], plain = [] }]) => [
    handlers,
    short(median(plain)),
    short(median(ours)),
    short(median(sliced)),
    short(median(ours) / Number(handlers)),
  ]);
  return `## The script layer alone

Microseconds per message of 32 bytes, by the number of handlers. The test creates the message events, without a network.

${table(["handlers", "plain, µs", "ours, µs", "with time slices, µs", "ours, µs per handler"], body)}`;
}

/**
 * @param {NonNullable<Results["runtime"]>} runtime
 * @param {Results["bytes"]} bytes
 */
function runtime({ samples, failures }, bytes) {
  const peers = [...new Set(Object.values(samples).flatMap(Object.keys))].filter((name) => name !== "ours");
  const body = Object.entries(samples).map(([what, row]) => [
    RUNTIME[/** @type {keyof typeof RUNTIME} */ (what)][1],
    row.ours === undefined ? "" : short(median(row.ours)),
    row.ours === undefined ? "" : whole(1_000_000 / median(row.ours)),
    ...peers.map((peer) =>
      row[peer] === undefined ? (failures[what]?.[peer] ? "fails" : "–") : short(median(row[peer])),
    ),
  ]);
  const reasons = Object.entries(failures).flatMap(([what, row]) =>
    Object.entries(row).map(([peer, reason]) => `- ${nameOf(peer)}, ${what}: ${tidy(reason)}`),
  );
  const size =
    bytes === undefined
      ? ""
      : `\n\nA sleeping thread takes ${whole(bytes.counted)} bytes as the VM counts them, and the memory of the module grew by ${whole(bytes.growth)} bytes for each of
100,000.`;
  return `## The runtime

Microseconds per operation. A dash means that a peer has no such operation.

${table(["", "ours, µs", "ours, a second", ...peers.map((peer) => `${nameOf(peer)}, µs`)], body)}${size}${reasons.length > 0 ? `\n\n${reasons.join("\n")}` : ""}`;
}

/** Compares this build with the one given as --before. Returns undefined if none was given. */
function builds(/** @type {Results} */ { vm = {}, start = {}, sockets = {}, layer = {}, runtime }) {
  const ofRows = (/** @type {Record<string, Record<string, number[] | undefined>>} */ rows, prefix = "") =>
    Object.entries(rows).flatMap(([name, { ours, before }]) =>
      ours === undefined || before === undefined ? [] : [{ name: prefix + name, ...ratio(ours, before) }],
    );
  const ofVm = ratios(vm, "ours", "before").map(({ workload, ...ratio }) => ({ name: workload, ...ratio }));
  const others = [
    ...ofRows({ start: { ours: start.ours?.samples, before: start.before?.samples } }),
    ...ofRows(sockets),
    ...ofRows(layer, "message, handlers: "),
    ...ofRows(runtime?.samples ?? {}),
  ];
  const lists = [ofVm, others].filter((list) => list.length > 0);
  if (lists.length === 0) {
    return undefined;
  }
  const [after, before] = [start.ours?.module?.raw, start.before?.module?.raw];
  const size = after && before ? `\n\nThe module has ${(after / before).toFixed(4)} of its size.` : "";
  return `## This build and the one before

The time of this build relative to the other one: below 1, this one is faster.

${lists
  .map((list) =>
    table(
      ["", "× before"],
      [
        ...list.map((entry) => [entry.name, spread(entry)]),
        ["**geometric mean**", `**${mean(list).toFixed(3)}**`],
      ],
    ),
  )
  .join("\n\n")}${size}`;
}
