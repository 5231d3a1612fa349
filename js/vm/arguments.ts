import type { RunOptions } from "./options.js";

const RUN_OPTIONS: readonly string[] = ["chunkName", "args", "signal"] satisfies (keyof RunOptions)[];

/** The arguments of `run`, copied. */
export interface Run {
  readonly source: string | Uint8Array;
  readonly chunkName: string | undefined;
  readonly args: unknown[] | undefined;
  readonly signal: AbortSignal | undefined;
}

/**
 * Reads the arguments of `run` once, so that no host code, such as a getter, runs later.
 *
 * @throws TypeError that names the wrong argument
 */
export function runOf(source: unknown, options: unknown): Run {
  if (typeof options !== "object" || options === null) {
    throw new TypeError("the options of run: not an object");
  }
  for (const name of Object.keys(options)) {
    if (!RUN_OPTIONS.includes(name)) {
      throw new TypeError(`unknown option ${name} of run; the options are: ${RUN_OPTIONS.join(", ")}`);
    }
  }
  const { chunkName, args, signal } = options as RunOptions;
  if (args !== undefined && !Array.isArray(args)) {
    throw new TypeError("option args: not an array");
  }
  // Null means no signal, as for `fetch`.
  if (signal !== undefined && signal !== null && !isSignal(signal)) {
    throw new TypeError("option signal: not an AbortSignal");
  }
  return {
    source: sourceOf(source),
    chunkName: chunkName === undefined ? undefined : textOf(chunkName, "option chunkName"),
    args: args === undefined ? undefined : [...args],
    signal: signal ?? undefined,
  };
}

/**
 * Returns the source of a chunk. Bytes are copied.
 *
 * @throws TypeError if it is neither
 */
export function sourceOf(source: unknown): string | Uint8Array {
  if (typeof source === "string") {
    return source;
  }
  if (isBytes(source)) {
    return new Uint8Array(source);
  }
  throw new TypeError("the source is neither a string nor a Uint8Array");
}

/** Returns true if a value is a `Uint8Array`, including one of another realm, such as a frame. */
export function isBytes(value: unknown): value is Uint8Array {
  return ArrayBuffer.isView(value) && Object.prototype.toString.call(value) === "[object Uint8Array]";
}

/** @throws TypeError if the value is not a string */
export function textOf(value: unknown, what: string): string {
  if (typeof value !== "string") {
    throw new TypeError(`${what}: not a string`);
  }
  return value;
}

function isSignal(value: Partial<AbortSignal>): boolean {
  return (
    typeof value === "object" &&
    typeof value.aborted === "boolean" &&
    typeof value.addEventListener === "function"
  );
}
