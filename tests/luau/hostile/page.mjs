// Runs hostile scripts in a page, or in workers of it.

import { Luau, LuauError } from "../../../pkg/index.js";
import { LuauWorker } from "../../../pkg/worker.js";
import { Runner } from "./realm.mjs";

/** @typedef {import("./realm.mjs").Script} Script */
/** @typedef {import("./realm.mjs").Told} Told */

const inPage = new Runner({ create: (options) => Luau.create(options), LuauError, isWorker: false });

/**
 * Creates a worker with the time slice of a page, so that a script has the same outcome in both.
 *
 * @param {import("../../../pkg/worker.js").LuauWorkerOptions} [options]
 */
const createWorker = (options) => LuauWorker.create({ timeSlice: 8, ...options });

const inWorker = new Runner({ create: createWorker, LuauError, isWorker: true });

for (const runner of [inPage, inWorker]) {
  addEventListener("unhandledrejection", ({ reason }) => runner.noteUncaught(reason));
}

/**
 * Runs a script that nothing in its VM can end. It prints a line when it is about to start.
 *
 * @param {Script} script
 * @returns {Promise<Omit<Told, "milliseconds">>}
 */
async function runTerminated(script) {
  /** @type {string[]} */
  const errors = [];
  /** @type {string[]} */
  const warnings = [];
  const luau = await LuauWorker.create({
    ...script.options,
    // No event shows that it has started after that. If it has not yet, a computing script is terminated all the same.
    print: () => setTimeout(() => luau.terminate(), 100),
    onError: (/** @type {Error} */ error) => errors.push(error.message),
    warn: (/** @type {string} */ text) => warnings.push(text),
  });
  const run = luau.run(script.prelude + script.source, { chunkName: script.name });
  const { outcome, message } = await inWorker.ending(run);
  const told = { outcome, message, errors, warnings };
  luau.terminate();
  const next = await LuauWorker.create();
  const faults = await inWorker.checkVm(next, script, "the next worker");
  next.dispose();
  return { ...told, faults };
}

/**
 * @param {Script} script
 * @param {"page" | "worker"} where
 */
function runHostile(script, where) {
  if (script.isTerminated) {
    return inPage.run(script, runTerminated);
  }
  return where === "worker" ? inWorker.run(script) : inPage.run(script);
}

Object.assign(globalThis, { runHostile });
