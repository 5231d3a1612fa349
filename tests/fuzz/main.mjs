// Fuzzes the script API and the host API: `cargo xtask fuzz api`. A seed or a file plays one program again.
//
//   node tests/fuzz/main.mjs [--seconds N] [--seed N] [--input FILE] [--in node|page|worker]

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { openServer } from "../server/host.mjs";
import { kindOf, minimize } from "./minimize.mjs";
import { makePlayer } from "./players.mjs";
import { makeProgram } from "./program.mjs";
import { readSurface } from "./surface.mjs";

const finds = fileURLToPath(new URL("../../target/finds/api/", import.meta.url));

const { values } = parseArgs({
  options: {
    seconds: { type: "string" },
    seed: { type: "string" },
    input: { type: "string" },
    in: { type: "string", default: "node" },
  },
});

const surface = await readSurface();
const server = await openServer();
const player = makePlayer(values.in, `127.0.0.1:${server.port}`);
/** The kinds of faults found. @type {Map<string, number>} */
const kinds = new Map();
/** The number of promises by outcome. @type {Record<string, number>} */
const outcomes = {};
let played = 0;
let longestMs = 0;

/** @param {import("./program.mjs").Program} program */
async function attempt(program) {
  const verdict = await player.play(program);
  const { faults } = verdict;
  played++;
  longestMs = Math.max(longestMs, verdict.longestMs);
  for (const [outcome, count] of Object.entries(verdict.outcomes)) {
    outcomes[outcome] = (outcomes[outcome] ?? 0) + count;
  }
  if (faults.length === 0) {
    return;
  }
  const kind = kindOf(faults);
  const count = (kinds.get(kind) ?? 0) + 1;
  kinds.set(kind, count);
  if (count > 1) {
    return;
  }
  console.log(`\nfound with seed ${program.seed}: ${faults.join("\n")}`);
  const small = await minimize(
    program,
    async (smaller) => kindOf((await player.play(smaller)).faults) === kind,
  );
  mkdirSync(finds, { recursive: true });
  const file = `${finds}${program.seed}.json`;
  writeFileSync(file, `${JSON.stringify(small, null, 2)}\n`);
  console.log(`${JSON.stringify(small, null, 2)}\nagain: cargo xtask fuzz api --input ${file}`);
}

if (values.input !== undefined) {
  await attempt(JSON.parse(readFileSync(values.input, "utf8")));
} else if (values.seed !== undefined && values.seconds === undefined) {
  await attempt(makeProgram(Number(values.seed), surface));
} else {
  const end = Date.now() + Number(values.seconds ?? 60) * 1_000;
  for (let seed = Number(values.seed ?? Date.now() % 1e9); Date.now() < end; seed++) {
    await attempt(makeProgram(seed, surface));
  }
}
await player.close();
await server.close();
for (const [kind, count] of kinds) {
  console.log(`${count} times: ${kind}`);
}
console.log(`${JSON.stringify(outcomes)}, at most ${Math.round(longestMs)} ms without control`);
console.log(
  `fuzz: ${played} programs with ${surface.functions.length} functions, ${kinds.size} kinds of faults`,
);
process.exitCode = kinds.size > 0 ? 1 : 0;
