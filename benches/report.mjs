// The results as Markdown: benches/README.md.

import { GROWTH, RUNTIME } from "./sections.mjs";
import { median, ratio } from "./stats.mjs";
import { mean, ratios, targets, whole } from "./targets.mjs";
import { hasVariant } from "./vm.mjs";

/** @typedef {import("./results.js").Results} Results */

const NAMES = /** @type {Record<string, string>} */ ({
  ours: "ours",
  "ours (Node)": "ours, Node",
  "luau-web-asyncify": "luau-web, Asyncify",
  "luau-web": "luau-web, JSPI",
});

const nameOf = (/** @type {string} */ name) => NAMES[name] ?? name;

/** The report of a run. */
export function report(/** @type {Results} */ results) {
  const parts = [
    introduction(results),
    table(
      ["target", "this run", ""],
      targets(results).map(({ target, figure, met }) => [target, figure, met ? "met" : "**not met**"]),
    ),
    results.vm && vm(results.vm),
    results.slices && slices(results.slices),
    results.start && start(results.start),
    results.sockets && sockets(results.sockets),
    results.layer && layer(results.layer),
    results.runtime && runtime(results.runtime, results.bytes),
    results.growth && growth(results.growth),
  ];
  return `${parts.filter(Boolean).join("\n\n")}\n`;
}

function introduction(/** @type {Results} */ { date, rounds, machine, versions }) {
  const list = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `# Benchmarks

Made by \`cargo xtask bench\` on ${date}, in ${rounds} round${rounds === 1 ? "" : "s"}, on ${machine}. Taking part: ${list.join(", ")}.

All contenders take part in one run, in turns: in each round every workload is done by each of them, one directly after the other, and
each round begins with another one. A figure is the median over the rounds. A ratio is the median of the ratios of the rounds, with the
lowest and the highest in brackets. What a contender does first warms it up and is not counted. A failure is shown, with its reason.

- Native is Luau of the same version through mlua, built with the same options and without its code generator; it runs the very same
  scripts in a process of its own.
- wasmoon, fengari, luaur and ours run in workers of headless Chromium; luau-web runs in pages, since one of its two builds refuses to run
  in a worker, and in a new one for each workload, since its memory of 17 MB is never given back in full. ours, Node is the same package
  there.
- The workloads in \`benches/vm\` were written for this. Each one checks what it computes, and returns a sum that all contenders have to
  agree on. Those with buffers, vectors or \`bit32\` have a variant for Lua 5.3 and newer beside them, which wasmoon and fengari run.
- Time slices are off unless a table says otherwise: so it is in workers and in Node by default.

## Targets`;
}

/** A table of Markdown. */
function table(/** @type {string[]} */ head, /** @type {string[][]} */ rows) {
  const line = (/** @type {string[]} */ cells) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, index) => (index === 0 ? "---" : "---:"))), ...rows.map(line)].join(
    "\n",
  );
}

/** A number with three digits that count. */
function short(/** @type {number} */ figure) {
  if (figure >= 100) {
    return whole(figure);
  }
  return figure.toFixed(figure >= 10 ? 1 : 2);
}

/** A ratio with its spread. */
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

Ours is compared with native Luau: 1 is as fast. The peers are compared with ours: above 1 ours is faster.

${table(head, [...body, means])}

\\* with a variant for Lua, which does the same without what only Luau has${notes === "" ? "" : `\n\n${notes}`}`;
}

/** What a failure says, in one line. */
function tidy(/** @type {string} */ reason) {
  const line = /** @type {string} */ (reason.split("\n")[0]).replaceAll("|", "\\|");
  return line.startsWith("returned") || line.startsWith("no answer") ? line : `says: ${line.slice(0, 160)}`;
}

function slices(/** @type {import("./vm.mjs").Table} */ rows) {
  const list = ratios(rows, "on", "off");
  return `## Time slices

The same workloads in a page, with the time slices of 8 ms that are on there by default, relative to the time without.

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

From the import to the first result in a browser that has cached nothing, over loopback; and all that is loaded for that, in kB, bundled and
minified by esbuild. What has no WebAssembly file of its own carries it inside its script, or has none.

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

Against a server on the same machine: microseconds of a message, in plain JavaScript and in a script, in the
same page and with the time slices that are on there by default. A browser opens the 200 connections one after the other; what is
measured is what they do once they are open.

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

Message events of 32 bytes that no network brings: microseconds of a message, by the number of its handlers.

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

Microseconds of an operation. A dash stands where a peer has nothing of the kind.

${table(["", "ours, µs", "ours, a second", ...peers.map((peer) => `${nameOf(peer)}, µs`)], body)}${size}${reasons.length > 0 ? `\n\n${reasons.join("\n")}` : ""}`;
}

function growth(/** @type {NonNullable<Results["growth"]>} */ rows) {
  const parts = Object.entries(rows).map(([kind, points]) => {
    const { unit } = GROWTH[/** @type {keyof typeof GROWTH} */ (kind)];
    const hasPlain = points[0]?.samples.plain !== undefined;
    return table(
      [kind, ...(hasPlain ? [`plain, ${unit}`] : []), `ours, ${unit}`],
      points.map(({ count, samples }) => [
        whole(count),
        ...(hasPlain ? [digits(median(samples.plain ?? []))] : []),
        digits(median(samples.ours ?? [])),
      ]),
    );
  });
  return `## Growth

What one of so many costs: a line that does not rise is linear growth of the whole.

![What one connection, sleeping thread, handler and byte costs, by how many there are](growth.svg)

${parts.join("\n\n")}`;
}

/** A number with three digits that count, however small. */
function digits(/** @type {number} */ figure) {
  return figure >= 100 ? whole(figure) : Number(figure.toPrecision(3)).toString();
}
