// A realm that plays programs one after another, next to a VM that must answer whatever a program does.

import { play } from "./play.mjs";
import { slowness, Turns } from "./turns.mjs";

/** @typedef {import("./program.mjs").Program} Program */

/**
 * A realm's verdict on a program.
 *
 * @typedef {object} Verdict
 * @property {string[]} faults
 * @property {Record<string, number>} outcomes the number of promises by outcome
 * @property {number} longestMs the longest time without control of the event loop
 */

/** The longest wait of a host with default options, in milliseconds. Source: `timeSlice` in js/vm/options.ts. */
const MAX_TURN_MS = 5_000;

/** The time by which a program may exceed a limit, for two library calls that cannot be interrupted. */
const GRACE_MS = 1_500;

/**
 * Returns the time that a program may block the event loop, in milliseconds.
 *
 * @param {Program["options"]} options
 */
function maxTurn({ timeLimit }) {
  return Math.min(timeLimit ?? MAX_TURN_MS, MAX_TURN_MS) + GRACE_MS;
}

/**
 * Creates a function that plays programs.
 *
 * @param {import("./play.mjs").Realm} realm
 * @returns {(program: Program) => Promise<Verdict>}
 */
export function makeRealm(realm) {
  /** @type {any} */
  let bystander;
  /** Uncaught errors since the last program. @type {string[]} */
  const uncaught = [];
  listen((error) => uncaught.push(`uncaught: ${/** @type {any} */ (error)?.stack ?? error}`.slice(0, 1_500)));

  async function checkBystander() {
    try {
      bystander ??= await realm.create({
        globalScope: "vm",
        ...(realm.WebSocket ? { websocket: { WebSocket: realm.WebSocket } } : {}),
      });
      await bystander.run("list = list or {} table.insert(list, #list)");
      const [sum] = await bystander.run(
        "local sum = 0 for _, n in list do sum += n end return sum == #list * (#list - 1) / 2",
      );
      return sum === true ? undefined : `it says ${sum}`;
    } catch (error) {
      bystander = undefined;
      return String(error);
    }
  }

  return async (program) => {
    const before = slowness();
    const turns = new Turns();
    const { faults, outcomes } = await play(program, realm, checkBystander);
    const longestMs = turns.stop();
    const allowed = maxTurn(program.options) * Math.max(1, before, slowness());
    if (longestMs > allowed) {
      faults.push(`the event loop had no control for ${Math.round(longestMs)} ms`);
    }
    faults.push(...uncaught.splice(0));
    return { faults, outcomes, longestMs };
  };
}

/** Calls a function with every uncaught error. @param {(error: unknown) => void} note */
function listen(note) {
  if (typeof process === "object") {
    process.on("uncaughtException", note);
    process.on("unhandledRejection", note);
  } else {
    addEventListener("error", (event) => note(event.error ?? event.message));
    addEventListener("unhandledrejection", (event) => note(event.reason));
  }
}
