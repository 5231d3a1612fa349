// In the page of the hostile scripts: runs one, and looks at what it left behind.

import { Luau, LuauError } from "../../../pkg/index.js";
import { LuauWorker } from "../../../pkg/worker.js";

/**
 * A script and how to run it, as its first lines say.
 *
 * @typedef {{
 *   name: string, source: string, prelude: string, check: string, modules: Record<string, string>,
 *   options: { memoryLimit?: number, timeLimit?: number, timeSlice?: number }, queue?: number, memoryLeft?: number,
 *   isForWorker: boolean,
 * }} Script
 *
 * How it ended, what it reported, what is wrong afterwards, and how long all of it took.
 * @typedef {{
 *   outcome: string, message: string, errors: string[], warnings: string[], faults: string[], milliseconds: number,
 * }} Told
 */

/** Shares the instance with every other VM, so it is gone when the instance is. */
let bystander = await Luau.create();

/** How much more memory a VM may use after a script than before, in bytes: the collector keeps its own pace. */
const MEMORY_LEFT = 2_000_000;

/** How long to wait for what should be over in an instant. This only catches a hang: a busy machine must not reach it. */
const DEADLINE_MS = 120_000;

/** How often the event loop of the page has come round. */
let turns = 0;
setInterval(() => {
  turns += 1;
}, 4);

/** @param {number} milliseconds */
const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/**
 * What the callbacks of the page do to the VM when a script asks for it: a text with `!stop` in it stops the VM, wherever the page gets
 * it; `!stop-on-message` does so in `onSocket` for events of that type.
 *
 * @param {() => any} vm
 * @param {AbortController} controller
 */
function actions(vm, controller) {
  /** @type {Record<string, () => unknown>} */
  const known = {
    stop: () => vm().stop(),
    dispose: () => vm().dispose(),
    abort: () => controller.abort(new Error("aborted by a callback")),
    run: () =>
      vm()
        .run("ran = (ran or 0) + 1")
        .catch(() => {}),
    get: () => vm().get("string"),
    set: () => vm().set("given", { a: [1, 2, 3] }),
    throw: () => {
      throw new Error("thrown by a callback");
    },
  };
  return (/** @type {unknown} */ text, /** @type {string | undefined} */ event = undefined) => {
    const [, name = "", on] = /!(\w+)(?:-on-(\w+))?/.exec(String(text)) ?? [];
    return on === event ? known[name]?.() : undefined;
  };
}

/**
 * What scripts may call of the page.
 *
 * @param {() => any} vm
 * @param {(text: unknown) => unknown} act
 */
function hostFunctions(vm, act) {
  class Secret {
    #value = 1;
    value = this.#value;
    [Symbol.toPrimitive]() {
      return "secret";
    }
  }
  return {
    act,
    echo: (/** @type {unknown[]} */ ...values) => (values.length < 2 ? values[0] : values),
    later: async (/** @type {unknown} */ value) => value,
    take: () => {},
    never: () => new Promise(() => {}),
    fail: (/** @type {string} */ text) => {
      throw new Error(text);
    },
    reject: async (/** @type {string} */ text) => {
      throw new Error(text);
    },
    run: (/** @type {string} */ source) => vm().run(source),
    start: (/** @type {string} */ source) =>
      void vm()
        .run(source)
        .catch(() => {}),
    call: (/** @type {Function} */ f, /** @type {unknown[]} */ ...values) => f(...values),
    get: (/** @type {string} */ name) => vm().get(name),
    set: (/** @type {string} */ name, /** @type {unknown} */ value) => vm().set(name, value),
    stats: () => vm().stats,
    turns: () => turns,
    secret: new Secret(),
    trap: (/** @type {string} */ action) => ({
      get value() {
        act(`!${action}`);
        return 1;
      },
    }),
    thenable: (/** @type {string} */ action) => ({
      // biome-ignore lint/suspicious/noThenProperty: it is what this is about.
      then: (/** @type {(value: unknown) => void} */ resolve) => resolve(act(`!${action}`)),
    }),
    polluted: () => /** @type {any} */ ({}).polluted === true,
  };
}

/**
 * @param {Promise<unknown>} run
 * @returns {Promise<{ outcome: string, message: string }>}
 */
async function ending(run) {
  try {
    await run;
    return { outcome: "finished", message: "" };
  } catch (error) {
    if (!(error instanceof LuauError)) {
      return { outcome: `${error}, which is no LuauError`, message: "" };
    }
    return { outcome: error.kind, message: `${error.message}\n${error.traceback}`.slice(0, 2_000) };
  }
}

/**
 * Runs a plain script that uses everything, in a VM that nothing is left of.
 *
 * @param {any} luau
 * @param {Script} script
 * @param {string} what
 */
async function checkVm(luau, { prelude, check }, what) {
  const late = sleep(DEADLINE_MS).then(() => ({ outcome: "not in time", message: "" }));
  await luau.run(prelude, { chunkName: "prelude" });
  const { outcome, message } = await Promise.race([ending(luau.run(check, { chunkName: "check" })), late]);
  return outcome === "finished" ? [] : [`${what}: ${outcome} ${message}`];
}

/**
 * What is wrong with a VM after a script.
 *
 * @param {any} luau
 * @param {Script} script
 * @param {number} before
 * @returns {Promise<string[]>}
 */
async function lookAfter(luau, script, before) {
  luau.stop();
  await luau.idle();
  const faults = await checkVm(luau, script, "the VM");
  const { threads, timers, sockets } = luau.stats;
  if (threads + timers + sockets > 0) {
    faults.push(`left over: ${JSON.stringify(luau.stats)}`);
  }
  const most = before + (script.memoryLeft ?? MEMORY_LEFT);
  if (luau.stats.memory > most) {
    // The VM runs a full collection to find a connection that no script can reach, and then closes it.
    await luau.run(`${script.prelude} websocket.connect(SERVER .. "/echo")`);
    await luau.idle();
  }
  if (luau.stats.memory > most) {
    faults.push(`${luau.stats.memory} bytes in use, and ${before} before`);
  }
  return faults;
}

/**
 * @param {Script} script
 * @returns {Promise<Omit<Told, "milliseconds">>}
 */
async function runInPage(script) {
  /** @type {string[]} */
  const errors = [];
  /** @type {string[]} */
  const warnings = [];
  const controller = new AbortController();
  /** @type {any} */
  let luau;
  const act = actions(() => luau, controller);
  luau = await Luau.create({
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
        // The page is asked for the `init` in a folder of that name too.
        if (!path.endsWith("/init")) {
          act(path);
        }
        return source;
      });
    },
    websocket: { maxQueueMessages: script.queue },
    globals: { host: hostFunctions(() => luau, act) },
  });
  await luau.run(script.prelude, { chunkName: "prelude" });
  const { memory } = luau.stats;
  const late = sleep(DEADLINE_MS).then(() => ({ outcome: "still running", message: "" }));
  const run = luau.run(script.source, { chunkName: script.name, signal: controller.signal });
  const { outcome, message } = await Promise.race([ending(run), late]);
  const told = { outcome, message, errors, warnings };
  if (outcome === "disposed") {
    const again = await ending(luau.run("return 1"));
    const faults = again.outcome === "disposed" ? [] : [`run after the end: ${again.outcome}`];
    return { ...told, faults };
  }
  const faults = outcome === "terminated" ? [] : await lookAfter(luau, script, memory);
  luau.dispose();
  return { ...told, faults };
}

/**
 * A script that nothing in its VM can end. It prints a line when it is about to begin.
 *
 * @param {Script} script
 * @returns {Promise<Omit<Told, "milliseconds">>}
 */
async function runInWorker(script) {
  /** @type {string[]} */
  const errors = [];
  /** @type {string[]} */
  const warnings = [];
  const luau = await LuauWorker.create({
    ...script.options,
    // Nothing tells that it has begun after that. If it has not yet, what is terminated is a script that computes all the same.
    print: () => setTimeout(() => luau.terminate(), 100),
    onError: (/** @type {Error} */ error) => errors.push(error.message),
    warn: (/** @type {string} */ text) => warnings.push(text),
  });
  await luau.run(script.prelude, { chunkName: "prelude" });
  const { outcome, message } = await ending(luau.run(script.source, { chunkName: script.name }));
  const told = { outcome, message, errors, warnings };
  luau.terminate();
  const next = await LuauWorker.create();
  const faults = await checkVm(next, script, "the next worker");
  next.dispose();
  return { ...told, faults };
}

/**
 * @param {Script} script
 * @returns {Promise<Told>}
 */
async function runHostile(script) {
  const began = performance.now();
  const told = await (script.isForWorker ? runInWorker(script) : runInPage(script));
  const other = await ending(bystander.run("return task.wait()"));
  if (other.outcome !== "finished") {
    told.faults.push(`another VM of the instance: ${other.outcome}`);
    bystander = await Luau.create();
  }
  const fresh = await Luau.create();
  told.faults.push(...(await checkVm(fresh, script, "a fresh VM")));
  fresh.dispose();
  return { ...told, milliseconds: performance.now() - began };
}

Object.assign(globalThis, { runHostile });
