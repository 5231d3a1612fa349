// Runs a hostile script in a realm: a page, a worker, or a process of Node. Then it checks what the script left behind.

import { slowness, Turns } from "../../fuzz/turns.mjs";
import { hostFunctions, makeActions, sleep } from "./host.mjs";

/**
 * A script with its options, from its first lines.
 *
 * @typedef {{
 *   name: string, source: string, prelude: string, check: string, modules: Record<string, string>,
 *   options: { globalScope?: "run" | "vm", memoryLimit?: number, timeLimit?: number, timeSlice?: number }, queue?: number,
 *   memoryLeft?: number,
 *   isTerminated: boolean,
 * }} Script
 *
 * The outcome, the reports, the faults afterwards, and the total time.
 * @typedef {{
 *   outcome: string, message: string, errors: string[], warnings: string[], faults: string[], milliseconds: number,
 * }} Told
 *
 * The place where scripts run.
 * @typedef {object} Realm
 * @property {(options?: any) => Promise<any>} create creates a `Luau` or a `LuauWorker`
 * @property {Function} LuauError
 * @property {boolean} isWorker
 */

/** The additional memory that a VM may use after a script, in bytes, because the collector keeps its own pace. */
const MEMORY_LEFT = 2_000_000;

/** The deadline for what should be over in an instant. This only catches a hang: a busy machine must not reach it. */
const DEADLINE_MS = 120_000;

/**
 * The longest time that a script may block the event loop in any case, in milliseconds. Source: `timeSlice` in
 * js/vm/options.ts.
 */
const MAX_TURN_MS = 5_000;

/** The time by which a script may exceed a limit, for library calls that cannot be interrupted. */
const GRACE_MS = 1_500;

/** Runs scripts in one realm, next to a VM that must not notice any of it. */
export class Runner {
  #realm;
  /** Lives as long as the realm. */
  #bystander;
  /** Uncaught errors. @type {string[]} */
  #uncaught = [];

  /** @param {Realm} realm */
  constructor(realm) {
    this.#realm = realm;
    this.#bystander = realm.create();
  }

  /** Records an uncaught error. @param {unknown} error */
  noteUncaught(error) {
    this.#uncaught.push(`nobody caught: ${error}`.slice(0, 500));
  }

  /**
   * @param {Promise<unknown>} run
   * @returns {Promise<{ outcome: string, message: string }>}
   */
  async ending(run) {
    try {
      await run;
      return { outcome: "finished", message: "" };
    } catch (error) {
      if (!(error instanceof this.#realm.LuauError)) {
        return { outcome: `${error}, which is no LuauError`, message: "" };
      }
      const { kind, message, traceback } = /** @type {any} */ (error);
      return { outcome: kind, message: `${message}\n${traceback}`.slice(0, 2_000) };
    }
  }

  /**
   * Runs a plain script that uses every library, in a VM in which nothing else is left.
   *
   * @param {any} luau
   * @param {Script} script
   * @param {string} what
   */
  async checkVm(luau, { prelude, check }, what) {
    const late = sleep(DEADLINE_MS).then(() => ({ outcome: "not in time", message: "" }));
    const run = luau.run(prelude + check, { chunkName: "check" });
    const { outcome, message } = await Promise.race([this.ending(run), late]);
    return outcome === "finished" ? [] : [`${what}: ${outcome} ${message}`];
  }

  /**
   * Finds what is wrong with a VM after a script.
   *
   * @param {any} luau
   * @param {Script} script
   * @param {number} before
   * @returns {Promise<string[]>}
   */
  async #lookAfter(luau, script, before) {
    await luau.stop();
    await luau.idle();
    const faults = await this.checkVm(luau, script, "the VM");
    const stats = await luau.stats;
    if (stats.threads + stats.timers + stats.sockets > 0) {
      faults.push(`left over: ${JSON.stringify(stats)}`);
    }
    const most = before + (script.memoryLeft ?? MEMORY_LEFT);
    if (stats.memory > most) {
      // The VM runs a full collection to find connections that no script can reach, and then closes them.
      await luau.run(`${script.prelude} websocket.connect(SERVER .. "/echo")`);
      await luau.idle();
    }
    const { memory } = await luau.stats;
    if (memory > most) {
      faults.push(`${memory} bytes in use, and ${before} before`);
    }
    return faults;
  }

  /**
   * @param {Script} script
   * @returns {Promise<Omit<Told, "milliseconds">>}
   */
  async #runAlone(script) {
    /** @type {string[]} */
    const errors = [];
    /** @type {string[]} */
    const warnings = [];
    const controller = new AbortController();
    /** @type {any} */
    let luau;
    const act = makeActions(() => luau, controller);
    luau = await this.#realm.create({
      ...script.options,
      print: (/** @type {string} */ text, /** @type {() => unknown[]} */ values) => {
        values();
        act(text);
      },
      warn: (/** @type {string} */ text) => {
        warnings.push(text.slice(0, 500));
        act(text);
      },
      onError: (/** @type {Error} */ error) => {
        errors.push(error.message.slice(0, 500));
        act(error.message);
      },
      onSocket: (/** @type {any} */ event) => act(event.url, event.type),
      modules: (/** @type {string} */ path) => {
        if (!path.startsWith("later")) {
          act(path);
        }
        const source = script.modules[path];
        if (!path.startsWith("later")) {
          return source;
        }
        return sleep(1).then(() => {
          // The host is also asked for the `init` in a folder of that name.
          if (!path.endsWith("/init")) {
            act(path);
          }
          return source;
        });
      },
      websocket: { maxQueueMessages: script.queue },
      globals: { host: hostFunctions(() => luau, act, this.#realm.isWorker) },
    });
    await luau.run(script.prelude);
    const { memory } = await luau.stats;
    const late = sleep(DEADLINE_MS).then(() => ({ outcome: "still running", message: "" }));
    const run = luau.run(script.prelude + script.source, {
      chunkName: script.name,
      signal: controller.signal,
    });
    const { outcome, message } = await Promise.race([this.ending(run), late]);
    const told = { outcome, message, errors, warnings };
    if (outcome === "disposed") {
      const again = await this.ending(luau.run("return 1"));
      const faults = again.outcome === "disposed" ? [] : [`run after the end: ${again.outcome}`];
      return { ...told, faults };
    }
    const faults = outcome === "terminated" ? [] : await this.#lookAfter(luau, script, memory);
    luau.dispose();
    return { ...told, faults };
  }

  /**
   * Runs a script, and checks other VMs afterwards.
   *
   * @param {Script} script
   * @param {(script: Script) => Promise<Omit<Told, "milliseconds">>} [runAlone]
   * @returns {Promise<Told>}
   */
  async run(script, runAlone = (script) => this.#runAlone(script)) {
    const began = performance.now();
    const before = slowness();
    const turns = new Turns();
    const told = await runAlone(script);
    const longest = turns.stop();
    const limit = Math.min(script.options.timeLimit ?? MAX_TURN_MS, MAX_TURN_MS) + GRACE_MS;
    if (Turns.areExact && longest > limit * Math.max(1, before, slowness())) {
      told.faults.push(`the event loop had no control for ${Math.round(longest)} ms`);
    }
    const other = await this.ending((await this.#bystander).run("return task.wait()"));
    if (other.outcome !== "finished") {
      told.faults.push(`the bystander: ${other.outcome}`);
      this.#bystander = this.#realm.create();
    }
    const fresh = await this.#realm.create();
    told.faults.push(...(await this.checkVm(fresh, script, "a fresh VM")));
    fresh.dispose();
    told.faults.push(...this.#uncaught.splice(0));
    return { ...told, milliseconds: performance.now() - began };
  }
}
