// Random programs over the script API and the host API never end another VM, leave nothing behind and never block a
// host's event loop. A seed determines them; `cargo xtask fuzz api` continues with others for a given time.
//
// Tier: default; --full plays more of them, in pages and workers too.

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { serverForTests } from "../server/for-tests.mjs";
import { isFull } from "../server/tier.mjs";
import { FINDS } from "./finds.mjs";
import { minimize } from "./minimize.mjs";
import { makePlayer } from "./players.mjs";
import { makeProgram } from "./program.mjs";
import { readSurface } from "./surface.mjs";

const SEED = 0x6c75_6175;
const PROGRAMS = isFull ? 1_000 : 60;

const server = serverForTests();
/** @type {import("./surface.mjs").Surface} */
let surface;

before(async () => {
  surface = await readSurface();
});

/** @param {string} where @param {number} count */
async function playMany(where, count) {
  const player = makePlayer(where, server.host);
  try {
    for (let seed = SEED; seed < SEED + count; seed++) {
      const { faults } = await player.play(makeProgram(seed, surface));
      assert.deepEqual(faults, [], `seed ${seed}: cargo xtask fuzz api --seed ${seed} shows it again`);
    }
  } finally {
    await player.close();
  }
  console.log(`fuzz: ${count} programs over the API in ${where}`);
}

test("programs in Node", () => playMany("node", PROGRAMS));

test("programs that found faults", async () => {
  const player = makePlayer("node", server.host);
  try {
    for (const [fault, program] of Object.entries(FINDS)) {
      // Some faults depend on how far the program gets before a limit.
      for (let time = 0; time < 4; time++) {
        const { faults } = await player.play(program);
        assert.deepEqual(faults, [], fault);
      }
    }
  } finally {
    await player.close();
  }
});

test("programs in a page", { skip: !isFull && "part of --full" }, () => playMany("page", PROGRAMS));

test("programs in workers", { skip: !isFull && "part of --full" }, () => playMany("worker", PROGRAMS));

test("functions of the libraries and of the definitions are called with arguments of their types", () => {
  const types = Object.fromEntries(surface.functions.map(({ path, types }) => [path, types.join()]));
  assert.equal(types["string.rep"], "string,number");
  assert.equal(types["table.move"], "table,number,number,number,table");
  assert.equal(types["json.decode"]?.split(",")[0], "string");
  for (const name of ["Send", "Receive", "Connect", "Wait"]) {
    assert(surface.methods.includes(name), name);
  }
  assert(surface.members.includes("OnMessage"));
});

describe("the players find", () => {
  /** @type {[what: string, lines: string[], expected: RegExp][]} */
  const faults = [
    ["an end of the process", ["host.exit()"], /the process ended with 7/],
    ["an error that nobody catches", ["host.strand()"], /uncaught: Error: stranded/],
    ["a host that gets no turn", ["host.spin()"], /had no control for/],
  ];
  for (const [what, lines, expected] of faults) {
    test(what, async () => {
      const player = makePlayer("node", server.host);
      const [seed, options] = [1, { timeLimit: 100 }];
      const faultsOf = async (/** @type {import("./program.mjs").Program} */ program) =>
        (await player.play(program)).faults.join();
      /** @type {import("./program.mjs").Step[]} */
      const steps = [{ do: "run", lines }];
      assert.match(await faultsOf({ seed, options, steps, isSabotaged: true }), expected);
      assert.equal(await faultsOf({ seed, options, steps: [] }), "");
      await player.close();
    });
  }
});

test("a program that fails loses its other steps and lines", async () => {
  /** @type {import("./program.mjs").Step[]} */
  const steps = ["a", "b", "c"].map((name) => ({ do: "run", lines: [`x = ${name}`, name, `y = ${name}`] }));
  const small = await minimize({ seed: 1, options: {}, steps }, async ({ steps }) =>
    steps.some((step) => "lines" in step && step.lines.includes("b")),
  );
  assert.deepEqual(small.steps, [{ do: "run", lines: ["b"] }]);
});
