// Measures the workloads of benches/vm. In each round every contender runs each workload, one after the other.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

/** @typedef {import("./contenders.mjs").Contender} Contender */

/**
 * The results of a workload: the time of one call in each round, and the reasons for failures, by contender.
 *
 * @typedef {{ samples: Record<string, number[]>, failures: Record<string, string> }} Row
 * @typedef {Record<string, Row>} Table by the names of the workloads
 */

const scripts = fileURLToPath(new URL("vm/", import.meta.url));

/** The names of the workloads. */
export const WORKLOADS = readdirSync(scripts)
  .filter((file) => file.endsWith(".luau"))
  .map((file) => basename(file, ".luau"));

/** The duration of a measurement, in milliseconds, which determines its number of calls. */
const SAMPLE = 50;

/** The time of one call, in milliseconds, above which a contender is not warmed up again before each measurement. */
const SLOW = 400;

/**
 * Returns the source of a workload, with a function that calls it a given number of times.
 *
 * @param {string} name
 * @param {"luau" | "lua"} language a workload that needs Luau's own features has a variant for Lua
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

/** Returns true if the workload has a variant for Lua. */
export function hasVariant(/** @type {string} */ name) {
  return existsSync(join(scripts, `${name}.lua`));
}

/**
 * Measures.
 *
 * @param {Contender[]} contenders the first one's result of a workload is the expected one
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

  // A warm-up round, which determines the number of calls in a measurement, and the contenders that fail.
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
          // The warm-up's estimate came from code that was not fully compiled yet.
          costs.set(key, outcome.ms / count);
        }
      }
    }
    say(`round ${round + 1} of ${rounds} is done`);
  }
  return table;
}

/**
 * Rotates a list, so that each round begins with another contender and none has the advantage of being first.
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
 * Loads a workload and runs it once for each count in the list. Returns the time of the last run, or the reason for a failure.
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
