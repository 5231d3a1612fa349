import type { LuauOptions, WebSocketOptions } from "./options.js";

/** The kind of an option, or the strings that it may be. The module itself checks numbers and globals, and load.ts checks `wasm`. */
type Expected = "function" | "object" | "function or object" | "any" | readonly string[];

const OPTIONS: Readonly<Record<keyof LuauOptions, Expected>> = {
  wasm: "any",
  onProgress: "function",
  print: "function",
  warn: "function",
  onError: "function",
  globals: "any",
  modules: "function or object",
  script: "any",
  memoryLimit: "any",
  timeSlice: "any",
  timeLimit: "any",
  sandbox: "any",
  globalScope: ["run", "vm"],
  isolation: ["instance", "shared"],
  optimize: "any",
  websocket: "object",
  onSocket: "function",
};

const WEBSOCKET_OPTIONS: Readonly<Record<keyof WebSocketOptions, Expected>> = {
  WebSocket: "function",
  allow: "function",
  maxConnections: "any",
  maxQueueMessages: "any",
  maxQueueBytes: "any",
};

/**
 * Sees to it that no option is ignored silently: neither one that is misspelt nor one that is something else.
 *
 * @param others options that there are beside those of `Luau`
 * @throws TypeError that names the option
 */
export function checkOptions(options: LuauOptions, others: Readonly<Record<string, Expected>> = {}): void {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`the options: not an object, but ${describe(options)}`);
  }
  check(options, { ...OPTIONS, ...others }, "");
  check(options.websocket ?? {}, WEBSOCKET_OPTIONS, "websocket.");
}

function check(options: object, expected: Readonly<Record<string, Expected>>, prefix: string): void {
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(expected, name)) {
      const names = Object.keys(expected).join(", ");
      throw new TypeError(`there is no option ${prefix}${name}; there are: ${names}`);
    }
    if (value === undefined) {
      continue;
    }
    const kind = expected[name];
    if (Array.isArray(kind) && !kind.includes(value)) {
      throw new TypeError(
        `option ${prefix}${name}: neither ${kind.map((text) => `"${text}"`).join(" nor ")}`,
      );
    }
    switch (kind) {
      case "function":
        if (typeof value !== "function") {
          throw new TypeError(`option ${prefix}${name}: not a function`);
        }
        break;
      case "object":
        if (!isPlain(value)) {
          throw new TypeError(`option ${prefix}${name}: not a plain object, but ${describe(value)}`);
        }
        break;
      case "function or object":
        if (typeof value !== "function" && !isPlain(value)) {
          throw new TypeError(
            `option ${prefix}${name}: neither a function nor a plain object, but ${describe(value)}`,
          );
        }
        break;
    }
  }
}

/** Of whichever realm or class, or what `import * as` gives; but none of JS's own kinds, whose contents are no properties. */
function isPlain(value: unknown): boolean {
  return typeof value === "object" && value !== null && ["Object", "Module"].includes(tagOf(value));
}

/** Such as `Map`. */
function tagOf(value: object): string {
  return Object.prototype.toString.call(value).slice("[object ".length, -1);
}

/** What a value is, in few words. */
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
