// The host functions that hostile scripts may call.

import { descend, measureDepth } from "../../stack-levels.mjs";

/** The number of turns of the event loop. */
let turns = 0;
const counter = setInterval(() => {
  turns += 1;
}, 4);
// It must not keep a process of Node alive.
/** @type {any} */ (counter).unref?.();

/** @param {number} milliseconds */
export const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/**
 * The host's callbacks act on the VM when a script asks them to: a text that contains `!stop` stops the VM, wherever the host receives it;
 * `!stop-on-message` does so in `onSocket` for events of that type.
 *
 * @param {() => any} vm
 * @param {AbortController} controller
 */
export function makeActions(vm, controller) {
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
 * Creates the host functions for scripts.
 *
 * @param {() => any} vm
 * @param {(text: unknown) => unknown} act
 * @param {boolean} isWorker true if the functions must cross into a worker, which is impossible for objects with methods
 */
export function hostFunctions(vm, act, isWorker) {
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
    ignore: (/** @type {Function} */ f, /** @type {unknown[]} */ ...values) => void f(...values),
    deep: (/** @type {number} */ left, /** @type {Function} */ f, /** @type {unknown[]} */ ...values) =>
      descend(Math.max(0, measureDepth() - left), () => f(...values)),
    check: (/** @type {string} */ source) => vm().check(source)?.message,
    get: (/** @type {string} */ name) => vm().get(name),
    set: (/** @type {string} */ name, /** @type {unknown} */ value) => vm().set(name, value),
    stats: () => vm().stats,
    turns: () => turns,
    ...(isWorker ? {} : { secret: new Secret() }),
    trap: (/** @type {string} */ action) => ({
      get value() {
        act(`!${action}`);
        return 1;
      },
    }),
    thenable: (/** @type {string} */ action) => ({
      // biome-ignore lint/suspicious/noThenProperty: the test is about thenables
      then: (/** @type {(value: unknown) => void} */ resolve) => resolve(act(`!${action}`)),
    }),
    polluted: () => /** @type {any} */ ({}).polluted === true,
  };
}
