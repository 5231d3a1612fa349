// Plays a program in a realm and reports faults: forbidden errors, promises that never settle, and leftovers. It runs
// in Node, in pages, and in pages that control workers with LuauWorker.

import { hostFunctions, hostValue } from "./host.mjs";
import { sabotage } from "./sabotage.mjs";

/** @typedef {import("./program.mjs").Program} Program */
/** @typedef {import("./program.mjs").Step} Step */

/**
 * The place where programs run.
 *
 * @typedef {object} Realm
 * @property {(options: any) => Promise<any>} create creates a `Luau` or a `LuauWorker`
 * @property {Function} LuauError
 * @property {string} server the host and the port of the test server
 * @property {unknown} [WebSocket] a constructor, if there is no global one
 */

/** The deadline for promises, in milliseconds. It only catches those that never settle: a busy machine must not reach it. */
const DEADLINE_MS = 30_000;

const KINDS = ["syntax", "runtime", "memory", "timeout", "cancelled", "disposed"];

/** Helpers for every script, on one line, so that line numbers stay the same. */
const PRELUDE = [
  "local V = {}",
  "local try = function(f, ...) return select(2, pcall(f, ...)) end",
  "local function nest(n) local t = {} for i = 1, n do t = { t } end return t end",
  "local function bomb(n) local t = { 'x' } for i = 1, n do t = { t, t } end return t end",
  "local function recurse(f) return recurse(f) + 1 end",
  "local function connect() return (websocket.connect('ws://{SERVER}/echo', { timeout = 5 })) end",
].join(" ");

/** The modules that scripts can require. @type {Record<string, () => unknown>} */
const MODULES = {
  plain: () => "return { 1 }",
  later: () => Promise.resolve("task.wait() return function() end"),
  fails: () => Promise.reject(new Error("no module today")),
  never: () => new Promise(() => {}),
  circle: () => "return require('./circle')",
};

const OVERDUE = Symbol("overdue");

/** @param {number} milliseconds @param {unknown} [value] */
const sleep = (milliseconds, value) => new Promise((resolve) => setTimeout(resolve, milliseconds, value));

/** A program in progress. */
class Play {
  /** @type {string[]} */
  faults = [];
  /** The number of promises by outcome. @type {Record<string, number>} */
  outcomes = {};
  /** The promises that the VM returned, which must settle. @type {Promise<unknown>[]} */
  #promises = [];
  #isDisposed = false;
  #realm;
  /** @type {import("./host.mjs").Host} */
  #host = {
    vm: undefined,
    controller: new AbortController(),
    kept: undefined,
    watch: (promise) => this.#watch(promise),
    isOwn: (f) => this.#own.has(f),
  };
  /** The functions that scripts got. @type {Set<unknown>} */
  #own = new Set();

  /** @param {Realm} realm */
  constructor(realm) {
    this.#realm = realm;
  }

  get vm() {
    return this.#host.vm;
  }

  /** @param {Program} program */
  async start({ options, isSabotaged }) {
    const watched = (/** @type {(...args: any[]) => unknown} */ call) => this.#watched(call);
    /** @type {[string, unknown][]} */
    const functions = Object.entries(hostFunctions(this.#host)).map(([name, call]) => [name, watched(call)]);
    this.#own = new Set(functions.map(([, call]) => call));
    const isBad = (/** @type {any} */ error) =>
      error?.kind === "terminated" && this.#fault("terminated", error);
    const vm = await this.#realm.create({
      ...options,
      print: watched((_text, values) => values()),
      warn: watched(() => {}),
      // It gets the error of an unhandled call in the next macrotask, even if the VM was disposed meanwhile.
      onError: isBad,
      onSocket: () => {},
      modules: watched((path) => MODULES[path]?.()),
      websocket: {
        maxConnections: 4,
        ...(this.#realm.WebSocket ? { WebSocket: this.#realm.WebSocket } : {}),
      },
      globals: { host: { ...Object.fromEntries(functions), ...(isSabotaged ? sabotage : {}) } },
    });
    const dispose = vm.dispose.bind(vm);
    vm.dispose = () => {
      this.#isDisposed = true;
      return dispose();
    };
    this.#host.vm = vm;
  }

  /**
   * Wraps a function that the VM calls: the VM must not call any once it is disposed. @param {(...args: any[]) =>
   * unknown} call
   */
  #watched(call) {
    return (/** @type {any} */ first, /** @type {any} */ second, /** @type {any[]} */ ...rest) => {
      if (this.#isDisposed) {
        this.#fault("a disposed VM still calls the host");
      }
      return call(first, second, ...rest);
    };
  }

  /** @param {Step} step */
  async take(step) {
    const vm = this.vm;
    switch (step.do) {
      case "run":
        return this.#run(step);
      case "check":
        return vm.check(this.#source(step.lines));
      case "set":
        return vm.set(step.name, hostValue(step.value));
      case "get":
        return vm.get(step.name);
      case "call": {
        const f = await vm.get(step.name);
        return this.#watch(typeof f === "function" ? f(1, "x", []) : f);
      }
      case "wait":
        return sleep(step.milliseconds);
      case "idle":
        return this.#watch(vm.idle());
      case "stats":
        return vm.stats;
      case "abort":
        return this.#host.controller.abort(new Error("aborted"));
      default:
        return vm[step.do]();
    }
  }

  /** @param {import("./program.mjs").Run} step */
  #run({ lines, value, abortAfterMs }) {
    const { controller } = this.#host;
    if (controller.signal.aborted) {
      this.#host.controller = new AbortController();
    }
    this.#watch(
      this.vm.run(this.#source(lines), {
        ...(value === undefined ? {} : { args: [hostValue(value)] }),
        ...(abortAfterMs === undefined ? {} : { signal: this.#host.controller.signal }),
      }),
    );
    if (abortAfterMs !== undefined) {
      setTimeout(() => this.#host.controller.abort(), abortAfterMs);
    }
  }

  /** @param {string[]} lines */
  #source(lines) {
    return [PRELUDE, ...lines].join("\n").replaceAll("{SERVER}", this.#realm.server);
  }

  /** Records the outcome of a promise of the VM. @param {unknown} promise */
  #watch(promise) {
    if (promise instanceof Promise) {
      const count = (/** @type {string} */ outcome) => {
        this.outcomes[outcome] = (this.outcomes[outcome] ?? 0) + 1;
      };
      const settled = promise.then(
        () => count("finished"),
        (error) => {
          count(error?.kind ?? error?.name);
          this.judge(error);
        },
      );
      this.#promises.push(settled);
    }
  }

  /** Records an error that no script may cause. @param {any} error */
  judge(error) {
    if (error instanceof this.#realm.LuauError) {
      const { kind } = /** @type {any} */ (error);
      return KINDS.includes(kind) ? undefined : this.#fault(kind, error);
    }
    // A wrong argument of the host.
    return error instanceof TypeError ? undefined : this.#fault("an error of another class", error);
  }

  /** @param {string} what @param {any} [error] */
  #fault(what, error) {
    const parts = [what, error?.message ?? error, error?.cause?.stack ?? error?.cause].filter(
      (part) => part !== undefined,
    );
    this.faults.push(parts.map(String).join(": ").slice(0, 1_500));
  }

  /** Checks what must hold after any program, and disposes the VM. */
  async finish() {
    // Async, because a worker answers later.
    const attempt = async (/** @type {() => unknown} */ call) => {
      try {
        return await Promise.race([call(), sleep(DEADLINE_MS, OVERDUE)]);
      } catch (error) {
        this.judge(error);
        return undefined;
      }
    };
    const vm = this.vm;
    let settled = 0;
    do {
      const promises = this.#promises.slice();
      await attempt(() => vm.stop());
      if ((await attempt(() => Promise.all(promises))) === OVERDUE) {
        this.#fault("a promise is pending after stop");
        break;
      }
      settled = promises.length;
      // A worker may have called a host function before it stopped, which may run something new.
    } while (settled < this.#promises.length);
    if (!this.#isDisposed) {
      if ((await attempt(() => vm.idle())) === OVERDUE) {
        this.#fault("idle is pending after stop");
      }
      const stats = /** @type {any} */ (await attempt(() => vm.stats));
      if (stats && stats.threads + stats.timers + stats.sockets > 0) {
        this.#fault(`left behind: ${JSON.stringify({ ...stats, memory: 0 })}`);
      }
    }
    await attempt(() => vm.dispose());
  }
}

/**
 * Plays a program.
 *
 * @param {Program} program
 * @param {Realm} realm
 * @param {() => Promise<string | undefined>} checkBystander returns the problem with another VM of the realm, if any
 * @returns {Promise<Play>} its faults and outcomes
 */
export async function play(program, realm, checkBystander) {
  const play = new Play(realm);
  try {
    await play.start(program);
  } catch (error) {
    // Some limits are too small for any VM.
    play.judge(error);
    return play;
  }
  for (const step of program.steps) {
    try {
      await play.take(step);
    } catch (error) {
      play.judge(error);
    }
    const fault = await checkBystander();
    if (fault !== undefined) {
      play.faults.push(`the bystander: ${fault}`);
    }
  }
  await play.finish();
  // A disposed VM would call now.
  await sleep(1);
  return play;
}
