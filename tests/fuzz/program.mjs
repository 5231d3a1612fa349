// Programs: what a host does with a VM, and the scripts that it runs. A seed determines a program; JSON represents it
// completely.

import { HOST_FUNCTIONS, HOST_VALUES } from "./host-functions.mjs";
import { Random } from "./random.mjs";
import { Values } from "./values.mjs";

/** @typedef {import("./surface.mjs").Surface} Surface */

/**
 * One action of the host.
 *
 * @typedef {{ do: "run", lines: string[], value?: string, abortAfterMs?: number }} Run
 * @typedef {{ do: "check", lines: string[] }} Check
 * @typedef {{ do: "set", name: string, value: string }} Set
 * @typedef {{ do: "wait", milliseconds: number }} Wait
 * @typedef {{ do: "get" | "call", name: string }} Named
 * @typedef {{ do: "stop" | "dispose" | "idle" | "stats" | "abort" }} Plain
 * @typedef {Run | Check | Set | Wait | Named | Plain} Step
 *
 * @typedef {object} Program
 * @property {number} seed
 * @property {{ memoryLimit?: number, timeLimit?: number, timeSlice?: number, sandbox?: boolean, optimize?: 0 | 1 | 2 }} options
 * @property {Step[]} steps
 * @property {boolean} [isSabotaged] true to give scripts the functions in sabotage.mjs
 */

const MEBIBYTE = 1024 * 1024;

/** Memory limits, mostly small, so that programs reach them often and quickly. */
const MEMORY_LIMITS = [1, 4, 4, 16, 16, 64, 64, 256].map((size) => size * MEBIBYTE);

/** Names of globals that programs read, write and replace. */
const GLOBALS = ["x", "f", "print", "string", "task", "host", "_G", "pcall", "tostring", "__proto__", ""];

/** Writes script lines. Each line is independent, so that the minimizer can remove it. */
class Writer {
  #random;
  #surface;
  #values;

  /**
   * @param {Random} random
   * @param {Surface} surface
   */
  constructor(random, surface) {
    this.#random = random;
    this.#surface = surface;
    this.#values = new Values(random, surface);
  }

  /** @returns {string[]} */
  lines() {
    return Array.from({ length: this.#random.int(1, 7) }, () => this.#line());
  }

  /** @returns {string} */
  #line(depth = 0) {
    const [random, values] = [this.#random, this.#values];
    const block = () => (depth < 2 ? this.#line(depth + 1) : `${values.variable()} = ${this.#call()}`);
    return random.weighted([
      [10, () => `${values.variable()} = ${this.#call()}`],
      [3, () => `${values.variable()} = ${values.of("any")}`],
      [2, () => this.#member()],
      [2, () => `try(function() ${block()} end)`],
      [2, () => `task.spawn(function() ${block()} end)`],
      [1, () => `task.${random.pick(["defer(", "delay(0.001, "])}function() ${block()} end)`],
      [1, () => `coroutine.wrap(function() ${block()} end)()`],
      [1, () => `for i = 1, ${random.pick(["3", "1000", "1e5", "1e9"])} do ${block()} end`],
      [1, () => `while true do ${block()} end`],
      [1, () => `for a, b in ${values.of("any")} do ${block()} end`],
      [1, () => `${random.pick(["task.wait()", "task.wait(0.002)", "coroutine.yield()", "gcinfo()"])}`],
      [1, () => `_G[${JSON.stringify(random.pick(GLOBALS))}] = ${values.of("any")}`],
      [1, () => `print = ${values.function()}`],
      [1, () => `error(${values.of("any")})`],
      [1, () => `${values.variable()} = tostring(${values.of("any")}) .. ${values.of("string")}`],
      [
        1,
        () =>
          `${values.variable()} = ${values.of("any")} ${random.pick(["==", "<", ".."])} ${values.of("any")}`,
      ],
    ])();
  }

  /** Returns a call whose error has no further effect. */
  #call() {
    const [random, values] = [this.#random, this.#values];
    const { path, types } = random.pick(this.#surface.functions);
    const args = values.args(types);
    const [name, rest] = random.weighted([
      [8, [path, args]],
      [2, [values.function(), values.args(["any", "any"])]],
      [1, [`host.${random.pick(HOST_FUNCTIONS)}`, `${values.function()}, ${values.args(["any"])}`]],
      [1, ["host.call", `${values.function()}, ${values.args(["any"])}`]],
    ]);
    return `try(${rest === "" ? name : `${name}, ${rest}`})`;
  }

  /** Returns a line that uses a connection or a signal. */
  #member() {
    const [random, values] = [this.#random, this.#values];
    const object = random.pick([values.variable(), "connect()", "connect().OnMessage", "connect().OnClose"]);
    const [name, args] = [random.pick(this.#surface.methods), values.args(["any", "string"])];
    return random.weighted([
      [4, `${values.variable()} = try(function() return ${object}:${name}(${args}) end)`],
      [
        1,
        `${values.variable()} = try(function() return ${object}.${random.pick(this.#surface.members)} end)`,
      ],
      [
        1,
        `try(function() ${values.variable()}.${random.pick(this.#surface.members)} = ${values.of("any")} end)`,
      ],
    ]);
  }
}

/**
 * Creates the program of a seed.
 *
 * @param {number} seed
 * @param {Surface} surface
 * @returns {Program}
 */
export function makeProgram(seed, surface) {
  const random = new Random(seed);
  const writer = new Writer(random, surface);
  const steps = Array.from({ length: random.int(1, 8) }, () => makeStep(random, writer));
  return { seed, options: makeOptions(random), steps: [{ do: "run", lines: writer.lines() }, ...steps] };
}

/**
 * @param {Random} random
 * @returns {Program["options"]}
 */
function makeOptions(random) {
  const limits = random.pick([
    { timeSlice: 8 },
    { timeLimit: 100 },
    { timeSlice: 8, timeLimit: 300 },
    { timeLimit: 1000 },
  ]);
  /** @type {Program["options"]} */
  const options = { ...limits, optimize: random.pick([0, 1, 1, 2]), sandbox: random.chance(0.9) };
  // Without the option, the default applies.
  return random.chance(0.95) ? { ...options, memoryLimit: random.pick(MEMORY_LIMITS) } : options;
}

/**
 * @param {Random} random
 * @param {Writer} writer
 * @returns {Step}
 */
function makeStep(random, writer) {
  const [name, value] = [random.pick(GLOBALS), random.pick(HOST_VALUES)];
  /** @type {[number, () => Step][]} */
  const steps = [
    [10, () => ({ do: "run", lines: writer.lines(), ...(random.chance(0.3) ? { value } : {}) })],
    [2, () => ({ do: "run", lines: writer.lines(), abortAfterMs: random.int(0, 5) })],
    [1, () => ({ do: "check", lines: writer.lines() })],
    [2, () => ({ do: "set", name, value })],
    [3, () => ({ do: "wait", milliseconds: random.pick([0, 0, 1, 5, 20]) })],
    [1, () => ({ do: random.pick(["get", "call"]), name })],
    [2, () => ({ do: random.pick(["stop", "idle", "stats", "abort"]) })],
    [0.3, () => ({ do: "dispose" })],
  ];
  return random.weighted(steps)();
}
