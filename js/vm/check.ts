import type { LuauOptions, WebSocketOptions } from "./options.js";

/** A kind of value, or the allowed values. */
type Expected = Kind | readonly (string | number)[];
type Kind = keyof typeof KINDS | "any";

/** The kinds of values: whether a value is of the kind, and what to say of one that is not. */
const KINDS = {
  boolean: [(value: unknown) => typeof value === "boolean", () => "not true or false"],
  duration: [isPositive, () => "not a number above zero"],
  count: [
    (value: unknown) => isPositive(value) && value >= 1,
    (value: unknown) => (isPositive(value) ? "less than one" : "not a number above zero"),
  ],
  function: [(value: unknown) => typeof value === "function", () => "not a function"],
  object: [isDictionary, (value: unknown) => `not a plain object, but ${describe(value)}`],
  "function or object": [
    (value: unknown) => typeof value === "function" || isDictionary(value),
    (value: unknown) => `neither a function nor a plain object, but ${describe(value)}`,
  ],
} as const;

/** The options. load.ts checks `wasm`, and the conversion of values checks `globals`. */
const OPTIONS: Readonly<Record<keyof LuauOptions, Expected>> = {
  wasm: "any",
  onProgress: "function",
  print: "function",
  warn: "function",
  onError: "function",
  globals: "any",
  modules: "function or object",
  script: "boolean",
  memoryLimit: "count",
  timeSlice: "duration",
  timeLimit: "duration",
  sandbox: "boolean",
  globalScope: ["run", "vm"],
  isolation: ["instance", "shared"],
  optimize: [0, 1, 2],
  websocket: "object",
  onSocket: "function",
};

const WEBSOCKET_OPTIONS: Readonly<Record<keyof WebSocketOptions, Expected>> = {
  WebSocket: "function",
  allow: "function",
  maxConnections: "count",
  maxQueueMessages: "count",
  maxQueueBytes: "count",
};

/**
 * Ensures that no option is silently ignored, because it is misspelled or of another kind.
 *
 * @param others options in addition to those of `Luau`
 * @throws TypeError that names the option
 */
export function checkOptions(options: LuauOptions, others: Readonly<Record<string, Expected>> = {}): void {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`the options: not an object, but ${describe(options)}`);
  }
  check(options, { ...OPTIONS, ...others }, "");
  check(options.websocket ?? {}, WEBSOCKET_OPTIONS, "websocket.");
  const { sandbox = true, globalScope = sandbox ? "run" : "vm", script = false } = options;
  if (globalScope === "run" && !sandbox) {
    // Scripts could change the shared table, which they reach through the metatable of their own.
    throw new TypeError('option globalScope: "run" needs the sandbox');
  }
  if (script && globalScope !== "run") {
    throw new TypeError(
      'option script: each script has its own, so it needs the sandbox and globalScope: "run"',
    );
  }
}

function check(options: object, expected: Readonly<Record<string, Expected>>, prefix: string): void {
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(expected, name)) {
      const names = Object.keys(expected).join(", ");
      throw new TypeError(`unknown option ${prefix}${name}; the options are: ${names}`);
    }
    const fault = value === undefined ? undefined : faultOf(value, expected[name] ?? "any");
    if (fault !== undefined) {
      throw new TypeError(`option ${prefix}${name}: ${fault}`);
    }
  }
}

/** Returns what is wrong with a value. */
function faultOf(value: unknown, expected: Expected): string | undefined {
  if (typeof expected !== "string") {
    const names = expected.map((allowed) => JSON.stringify(allowed));
    return expected.includes(value as string | number) ? undefined : `neither ${names.join(" nor ")}`;
  }
  if (expected === "any") {
    return undefined;
  }
  const [isRight, fault] = KINDS[expected];
  return isRight(value) ? undefined : fault(value);
}

function isPositive(value: unknown): value is number {
  return typeof value === "number" && value > 0;
}

/**
 * Returns true for objects of any realm or class and for `import * as` namespaces, but not for JS's built-in kinds,
 * whose contents are not properties.
 */
function isDictionary(value: unknown): boolean {
  return typeof value === "object" && value !== null && ["Object", "Module"].includes(tagOf(value));
}

/** Returns the tag of an object, such as `Map`. */
function tagOf(value: object): string {
  return Object.prototype.toString.call(value).slice("[object ".length, -1);
}

/** Describes a value in a few words. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) {
    return String(value);
  }
  if (typeof value !== "object") {
    return `a ${typeof value}`;
  }
  const tag = tagOf(value);
  return tag === "Object" ? "an object" : `an object of the type ${tag}`;
}
