// The host of a fuzzed VM: functions that answer promptly, late, never, with errors or by calling back, and odd values.

import { descend, measureDepth } from "../stack-levels.mjs";

/**
 * The host of one program.
 *
 * @typedef {object} Host
 * @property {any} vm the VM, once there is one
 * @property {AbortController} controller aborts the abortable runs
 * @property {unknown} kept what a script asked the host to keep
 * @property {(promise: unknown) => void} watch records each promise that the VM returned
 * @property {(f: unknown) => boolean} isOwn true for a function of the host, whose promises may stay pending
 */

/** @type {Record<typeof import("./host-functions.mjs").HOST_VALUES[number], () => unknown>} */
const VALUES = {
  undefined: () => undefined,
  null: () => null,
  nan: () => Number.NaN,
  bigint: () => 2n ** 64n,
  symbol: () => Symbol("symbol"),
  surrogate: () => "\ud800 \udfff",
  long: () => "é".repeat(1_000_000),
  bytes: () => new Uint8Array(1_000_000),
  cyclic: () => {
    /** @type {any} */
    const value = { list: [] };
    value.list.push(value, value.list);
    return value;
  },
  nested: () => {
    /** @type {unknown} */
    let value = 1;
    for (let depth = 0; depth < 5_000; depth++) {
      value = depth % 2 ? [value] : { value };
    }
    return value;
  },
  wide: () => Array.from({ length: 50_000 }, (_, index) => ({ index })),
  sparse: () => Object.assign([], { 4294967294: 1 }),
  getter: () => ({
    get value() {
      throw new Error("a getter");
    },
  }),
  proxy: () => new Proxy({}, { ownKeys: () => ["a"], getOwnPropertyDescriptor: () => undefined }),
  revoked: () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  },
  map: () =>
    new Map(
      /** @type {any} */ ([
        [Number.NaN, 1],
        [{}, []],
      ]),
    ),
  class: () => class {},
  date: () => new Date(Number.NaN),
  function:
    () =>
    (/** @type {unknown[]} */ ...values) =>
      values,
  thenable: () => thenable((resolve) => resolve(1)),
  prototype: () => Object.create({ inherited: 1 }),
  detached: () => {
    const bytes = new Uint8Array(8);
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
    return bytes;
  },
  error: () => Object.assign(new RangeError("an error"), { kind: "memory", value: {} }),
};

/**
 * @param {string} name
 * @returns {unknown}
 */
export function hostValue(name) {
  return VALUES[/** @type {keyof typeof VALUES} */ (name)]();
}

/** @param {(resolve: (value: unknown) => void, reject: (value: unknown) => void) => unknown} then */
function thenable(then) {
  return { then };
}

/** Thenables with every kind of behavior. @type {(() => unknown)[]} */
const THENABLES = [
  () => thenable((resolve) => resolve(1)),
  () => thenable((resolve) => setTimeout(resolve, 1)),
  () => thenable((_, reject) => reject(undefined)),
  () => thenable(() => {}),
  () =>
    thenable((resolve, reject) => {
      resolve(1);
      reject(2);
      resolve(3);
      throw new Error("too late");
    }),
  () =>
    thenable(() => {
      throw new Error("a thenable");
    }),
  () => thenable((resolve) => resolve(thenable((again) => again(1)))),
  () => ({
    // biome-ignore lint/suspicious/noThenProperty: scripts may get such objects.
    get then() {
      throw new Error("a getter");
    },
  }),
];

/** Rejection reasons and thrown values. */
const REASONS = [
  () => new Error("not enough memory"),
  () => undefined,
  () => null,
  () => hostValue("cyclic"),
  () => hostValue("getter"),
  () => hostValue("proxy"),
  () => "\ud800",
  () => Symbol("reason"),
];

/**
 * Returns a script's argument as text. `String` would take 2^n steps for a list that contains the same list twice, n
 * levels deep.
 *
 * @param {unknown} value
 */
const textOf = (value) => (typeof value === "string" ? value : "return 1");

/** The stack levels that `deep` leaves unused when it calls the script. */
const LEVELS_LEFT = [0, 5, 50, 500];

/**
 * Creates the functions of a host.
 *
 * @param {Host} host
 * @returns {Record<typeof import("./host-functions.mjs").HOST_FUNCTIONS[number], (...args: any[]) => unknown>}
 */
export function hostFunctions(host) {
  let turn = 0;
  /** @template T @param {readonly (() => T)[]} list */
  const next = (list) => /** @type {() => T} */ (list[turn++ % list.length])();
  /** A worker answers every call with a promise. */
  const watched = (/** @type {unknown} */ result) => {
    host.watch(result);
    return result;
  };
  /** Calls a script function as a careful host does. */
  const call = (/** @type {unknown} */ f, /** @type {unknown[]} */ args) => {
    const result = typeof f === "function" ? f(...args) : f;
    return host.isOwn(f) ? result : watched(result);
  };
  return {
    echo: (...values) => (values.length === 1 ? values[0] : values),
    later: (value) => new Promise((resolve) => setTimeout(resolve, turn++ % 5, value)),
    never: () => new Promise(() => {}),
    rejects: async () => {
      throw next(REASONS);
    },
    throws: () => {
      throw next(REASONS);
    },
    thenable: () => next(THENABLES),
    call: (f, ...args) => call(f, args),
    // A host that ignores the result, but knows that it may be its own function, and an unhandled promise.
    ignore: (f, ...args) => {
      if (typeof f === "function") {
        const result = f(...args);
        if (host.isOwn(f)) {
          Promise.resolve(result).catch(() => {});
        }
      }
    },
    keep: (value) => {
      const kept = host.kept;
      host.kept = value;
      return kept;
    },
    value: () => next(Object.values(VALUES)),
    deep: (f, ...args) => {
      const left = /** @type {number} */ (LEVELS_LEFT[turn++ % LEVELS_LEFT.length]);
      return descend(Math.max(0, measureDepth() - left), () => call(f, args));
    },
    run: (source) => {
      const run = watched(host.vm.run(textOf(source)));
      return turn++ % 2 ? run : undefined;
    },
    check: (source) => watched(host.vm.check(textOf(source))),
    get: (name) => watched(host.vm.get(textOf(name))),
    set: (name, value) => watched(host.vm.set(textOf(name), value)),
    stats: () => watched(host.vm.stats),
    idle: () => {
      const idle = watched(host.vm.idle());
      // A script that waited for it would wait for itself.
      return turn++ % 4 ? undefined : idle;
    },
    abort: () => host.controller.abort(next(REASONS)),
    stop: () => watched(host.vm.stop()),
    dispose: () => (turn++ % 4 ? undefined : host.vm.dispose()),
  };
}
