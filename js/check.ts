import type { LuauOptions, WebSocketOptions } from "./options.js";

/** What an option is, as far as it is looked at here: the module itself checks the numbers. */
type Expected = "function" | "any";

const OPTIONS: Readonly<Record<keyof LuauOptions, Expected>> = {
  wasm: "any",
  onProgress: "function",
  print: "function",
  warn: "function",
  onError: "function",
  globals: "any",
  modules: "any",
  memoryLimit: "any",
  timeSlice: "any",
  timeLimit: "any",
  sandbox: "any",
  websocket: "any",
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
  check(options, { ...OPTIONS, ...others }, "");
  check(options.websocket ?? {}, WEBSOCKET_OPTIONS, "websocket.");
}

function check(options: object, expected: Readonly<Record<string, Expected>>, prefix: string): void {
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(expected, name)) {
      const names = Object.keys(expected).join(", ");
      throw new TypeError(`there is no option ${prefix}${name}; there are: ${names}`);
    }
    if (expected[name] === "function" && value !== undefined && typeof value !== "function") {
      throw new TypeError(`option ${prefix}${name}: not a function`);
    }
  }
}
