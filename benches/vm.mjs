// The workloads of benches/vm: every contender runs each of them in each round, one after the other, in turns.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

/** @typedef {import("./contenders.mjs").Contender} Contender */

/**
 * What came of a workload: the times of one call of it, a row for each round, and why those failed that did.
 *
 * @typedef {{ samples: Record<string, number[]>, failures: Record<string, string> }} Row
 * @typedef {Record<string, Row>} Table by the names of the workloads
 */

const scripts = fileURLToPath(new URL("vm/", import.meta.url));

/** The names of the workloads. */
export const WORKLOADS = readdirSync(scripts)
  .filter((file) => file.endsWith(".luau"))
  .map((file) => basename(file, ".luau"));

/** How long a measurement lasts, in milliseconds: so many calls are in one. */
const SAMPLE = 50;

/** Who is slower than this at one call, in milliseconds, is not warmed up again before each measurement. */
const SLOW = 400;

/**
 * A workload, with a function that calls it as often as it is told.
 *
 * @param {string} name
 * @param {"luau" | "lua"} language a workload that needs what only Luau has comes with a variant for Lua
 */
export function sourceOf(name, language) {
  const variant = join(scripts, `${name}.lua`);
  const file = language === "lua" && existsSync(variant) ? variant : join(scripts, `${name}.luau`);
  return `local work = (function() ${readFileSync(file, "utf8")}
end)()
function bench(count)
  local value
  for _ = 1, count do
    value = work()
  end
  return value
end
`;
}

/** Whether there is a variant of the workload for Lua. */
export function hasVariant(/** @type {string} */ name) {
  return existsSync(join(scripts, `${name}.lua`));
}

/**
 * Measures.
 *
 * @param {Contender[]} contenders the first one tells what a workload has to return
 * @param {{ rounds: number, workloads?: string[], sample?: number, say?: (text: string) => void }} options
 * @returns {Promise<Table>}
 */
export async function measure(
  contenders,
  { rounds, workloads = WORKLOADS, sample = SAMPLE, say = () => {} },
) {
  /** @type {Table} */
  const table = {};
  /** @type {Map<string, number>} milliseconds of one call, by workload and contender */
  const costs = new Map();

  // A round that warms up, in which is found out how many calls fill a measurement, and who fails.
  for (const workload of workloads) {
    /** @type {Row} */
    const row = { samples: {}, failures: {} };
    table[workload] = row;
    /** @type {string | undefined} */
    let expected;
    for (const contender of contenders) {
      const source = sourceOf(workload, contender.language);
      const outcome = await attempt(contender, source, [1, 1]);
      if (typeof outcome === "string") {
        row.failures[contender.name] = outcome;
        await contender.end();
        continue;
      }
      expected ??= outcome.value;
      if (Number(outcome.value) !== Number(expected)) {
        row.failures[contender.name] = `returned ${outcome.value} instead of ${expected}`;
        continue;
      }
      row.samples[contender.name] = [];
      costs.set(`${workload} ${contender.name}`, outcome.ms);
    }
    say(`warmed up with ${workload}`);
  }

  for (let round = 0; round < rounds; round++) {
    for (const workload of workloads) {
      const { samples, failures } = /** @type {Row} */ (table[workload]);
      for (const contender of inTurns(contenders, round)) {
        const key = `${workload} ${contender.name}`;
        const cost = costs.get(key);
        const row = samples[contender.name];
        if (cost === undefined || row === undefined) {
          continue;
        }
        const count = Math.max(1, Math.round(sample / cost));
        const source = sourceOf(workload, contender.language);
        const outcome = await attempt(contender, source, cost > SLOW ? [count] : [1, count]);
        if (typeof outcome === "string") {
          failures[contender.name] = outcome;
          delete samples[contender.name];
          await contender.end();
        } else {
          row.push(outcome.ms / count);
          // What the warm-up said was said by code that was not compiled in full yet.
          costs.set(key, outcome.ms / count);
        }
      }
    }
    say(`round ${round + 1} of ${rounds} is done`);
  }
  return table;
}

/**
 * Each round begins with another one: who comes first has no advantage.
 *
 * @template T
 * @param {T[]} list
 * @param {number} round
 */
export function inTurns(list, round) {
  const first = round % list.length;
  return [...list.slice(first), ...list.slice(0, first)];
}

/**
 * Loads a workload and runs it so many times, and as often as the list is long; what the last time took, or why it failed.
 *
 * @param {Contender} contender
 * @param {string} source
 * @param {number[]} counts
 */
async function attempt(contender, source, counts) {
  let answer = await contender.ask({ load: source });
  for (const run of counts) {
    if ("error" in answer) {
      break;
    }
    answer = await contender.ask({ run });
  }
  if ("error" in answer) {
    return answer.error;
  }
  await contender.ask({ close: true });
  return "ms" in answer ? answer : "no answer";
}
