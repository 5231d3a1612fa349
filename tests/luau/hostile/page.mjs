// In the page of the hostile scripts: runs one, and looks at what it left behind.

import { Luau, LuauError } from "../../../pkg/index.js";
import { LuauWorker } from "../../../pkg/worker.js";

/**
 * A script and how to run it, as its first lines say.
 *
 * @typedef {{
 *   name: string, source: string, prelude: string, check: string, modules: Record<string, string>,
 *   options: { memoryLimit?: number, timeLimit?: number, timeSlice?: number }, queue?: number, memoryLeft?: number, terminateAfter?: number,
 *   patience: number,
 * }} Script
 *
 * How it ended, what it reported, how long the page stood still, and what is wrong afterwards.
 * @typedef {{ outcome: string, message: string, errors: string[], warnings: string[], longest: number, faults: string[] }} Told
 */

/** Shares the instance with every other VM, so it is gone when the instance is. */
let bystander = await Luau.create();

/** How much more memory a VM may use after a script than before, in bytes: the collector keeps its own pace. */
const MEMORY_LEFT = 2_000_000;

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

/** The longest time that the page stood still, from now on until it is asked. */
function standstill() {
  let [longest, last] = [0, performance.now()];
  const note = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  };
  const timer = setInterval(note, 4);
  return () => {
    note();
    clearInterval(timer);
    return longest;
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
async function checkVm(luau, { prelude, check, patience }, what) {
  const late = sleep(5_000 * patience).then(() => ({ outcome: "not in time", message: "" }));
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
  // Garbage is collected as more is made: as much as there is, several times over.
  for (let round = 0; round < 50 && luau.stats.memory > most; round++) {
    const size = Math.ceil(luau.stats.memory / 5_000);
    await luau.run(`for _ = 1, 1e3 do local _ = buffer.create(${size}) end`);
  }
  if (luau.stats.memory > most) {
    faults.push(`${luau.stats.memory} bytes in use, and ${before} before`);
  }
  return faults;
}

/**
 * @param {Script} script
 * @returns {Promise<Told>}
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
      return sleep(5).then(() => {
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
  const longest = standstill();
  const late = sleep(10_000 * script.patience).then(() => ({ outcome: "still running", message: "" }));
  const run = luau.run(script.source, { chunkName: script.name, signal: controller.signal });
  const { outcome, message } = await Promise.race([ending(run), late]);
  const told = { outcome, message, errors, warnings, longest: longest() };
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
 * A script that nothing in its VM can end.
 *
 * @param {Script} script
 * @returns {Promise<Told>}
 */
async function runInWorker(script) {
  /** @type {string[]} */
  const errors = [];
  /** @type {string[]} */
  const warnings = [];
  const luau = await LuauWorker.create({
    ...script.options,
    print: () => {},
    onError: (/** @type {Error} */ error) => errors.push(error.message),
    warn: (/** @type {string} */ text) => warnings.push(text),
  });
  await luau.run(script.prelude, { chunkName: "prelude" });
  const longest = standstill();
  const run = ending(luau.run(script.source, { chunkName: script.name }));
  const timer = setTimeout(() => luau.terminate(), script.terminateAfter);
  const { outcome, message } = await run;
  clearTimeout(timer);
  const told = { outcome, message, errors, warnings, longest: longest() };
  luau.terminate();
  const next = await LuauWorker.create();
  const faults = await checkVm(next, script, "the next worker");
  next.dispose();
  return { ...told, faults };
}

/** @param {Script} script */
async function runHostile(script) {
  const told = await (script.terminateAfter === undefined ? runInPage(script) : runInWorker(script));
  const other = await ending(bystander.run("return task.wait()"));
  if (other.outcome !== "finished") {
    told.faults.push(`another VM of the instance: ${other.outcome}`);
    bystander = await Luau.create();
  }
  const fresh = await Luau.create();
  told.faults.push(...(await checkVm(fresh, script, "a fresh VM")));
  fresh.dispose();
  return told;
}

Object.assign(globalThis, { runHostile });
