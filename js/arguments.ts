import type { RunOptions } from "./options.js";

const RUN_OPTIONS: readonly string[] = ["chunkName", "args", "signal"] satisfies (keyof RunOptions)[];

/** The arguments of `run`, read once. */
export interface Run {
  readonly source: string | Uint8Array;
  readonly chunkName: string | undefined;
  readonly args: unknown[] | undefined;
  readonly signal: AbortSignal | undefined;
}

/**
 * Reads the arguments of `run`. Nothing of them runs any code of the page afterwards.
 *
 * @throws TypeError that names the one that is something else
 */
export function runOf(source: unknown, options: unknown): Run {
  if (typeof options !== "object" || options === null) {
    throw new TypeError("the options of run: not an object");
  }
  for (const name of Object.keys(options)) {
    if (!RUN_OPTIONS.includes(name)) {
      throw new TypeError(`there is no option ${name} of run; there are: ${RUN_OPTIONS.join(", ")}`);
    }
  }
  const { chunkName, args, signal } = options as RunOptions;
  if (args !== undefined && !Array.isArray(args)) {
    throw new TypeError("option args: not an array");
  }
  // Null is no signal, as for `fetch`.
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
 * The source of a chunk; bytes as they are now.
 *
 * @throws TypeError when it is something else
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

/** Returns whether a value is a `Uint8Array`, also one of another realm, such as a frame. */
export function isBytes(value: unknown): value is Uint8Array {
  return ArrayBuffer.isView(value) && Object.prototype.toString.call(value) === "[object Uint8Array]";
}

/** @throws TypeError when it is no string */
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
