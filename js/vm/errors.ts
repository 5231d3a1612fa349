/**
 * The kind of an error:
 *
 * - `syntax`: the source does not compile. None of it ran.
 * - `runtime`: the script, or a function that it called, raised an error.
 * - `memory`: the script needed more memory than its limit or the engine allows.
 * - `timeout`: the script ran longer than its time limit without waiting.
 * - `cancelled`: the thread was cancelled, or the VM stopped, before the thread ended.
 * - `disposed`: the VM was disposed before the thread ended, or before the call.
 * - `terminated`: the WebAssembly instance ended after an internal fault. The next `Luau.create` creates another.
 */
export type LuauErrorKind =
  | "syntax"
  | "runtime"
  | "memory"
  | "timeout"
  | "cancelled"
  | "disposed"
  | "terminated";

/** One level of a script's call stack. */
export interface LuauFrame {
  /** The name of the chunk as given to `run`, or the path of a module. */
  readonly chunkName: string;
  /** The line, from 1. */
  readonly line: number;
  /** The name of the function, if it has one. */
  readonly name: string | undefined;
}

/** A syntax error. Lines and columns count from 1, and columns count UTF-16 code units. */
export interface LuauSyntaxError {
  /** The message without the position. */
  readonly message: string;
  /** The line of the first character. */
  readonly line: number;
  /** The column of the first character. */
  readonly column: number;
  /** The line of the end, which is exclusive. */
  readonly endLine: number;
  /** The column of the end, which is exclusive. */
  readonly endColumn: number;
}

/** The members of a {@link LuauError} other than its message. */
export interface LuauErrorMembers {
  readonly kind: LuauErrorKind;
  readonly chunkName?: string | undefined;
  readonly line?: number | undefined;
  readonly errors?: readonly LuauSyntaxError[];
  readonly frames?: readonly LuauFrame[];
  readonly traceback?: string;
  readonly value?: unknown;
  readonly cause?: unknown;
}

/**
 * An error that ended a script or prevented its start.
 *
 * Host functions may throw one, even one of their own making. A script that catches it gets its `value`, or the message if there is no value.
 * If no script catches it, the run ends with its kind, frames and cause.
 */
export class LuauError extends Error {
  /** The kind of the error. */
  readonly kind: LuauErrorKind;
  /** The name of the chunk that raised it; undefined if no script was running. */
  readonly chunkName: string | undefined;
  /** The line that raised it, from 1. */
  readonly line: number | undefined;
  /** The column in which a syntax error begins, from 1; undefined for other kinds. */
  readonly column: number | undefined;
  /** All syntax errors of the source; the message has the first. Empty for other kinds. Luau reports at most 100. */
  readonly errors: readonly LuauSyntaxError[];
  /** The call stack of the script, innermost first. */
  readonly frames: readonly LuauFrame[];
  /** The call stack as text, one line per level. */
  readonly traceback: string;
  /** The thrown value, converted to JS; undefined if nothing was thrown. Strings that are not UTF-8 become `Uint8Array`s. */
  readonly value: unknown;

  constructor(message: string, members: LuauErrorMembers) {
    super(message, "cause" in members ? { cause: members.cause } : undefined);
    this.kind = members.kind;
    this.chunkName = members.chunkName;
    this.line = members.line;
    this.errors = members.errors ?? [];
    this.column = this.errors[0]?.column;
    this.frames = members.frames ?? [];
    this.traceback = members.traceback ?? "";
    this.value = members.value;
    // The JS stack would only show this library's internals.
    const places = this.frames.map(
      ({ chunkName, line, name }) =>
        `\n    at ${name ? `${name} (${chunkName}:${line})` : `${chunkName}:${line}`}`,
    );
    Object.defineProperty(this, "stack", {
      value: `${this.name}: ${message}${places.join("")}`,
      writable: true,
      configurable: true,
    });
  }
}

// On the prototype, like the names of built-in errors.
Object.defineProperty(LuauError.prototype, "name", {
  value: "LuauError",
  writable: true,
  configurable: true,
});

/** Returns the members of an error that the host threw, for the module; undefined if it is not a {@link LuauError}. */
export function readError(thrown: unknown): LuauErrorMembers | undefined {
  try {
    if (thrown instanceof LuauError) {
      const { kind, errors, frames, value, cause } = thrown;
      return { kind, errors, frames, value, cause };
    }
  } catch {
    // A `Proxy`, or a getter of a subclass, threw: treat it like any other error.
  }
  return undefined;
}

/**
 * Returns the text of any thrown value; for errors, the message. Matches `message_of` in src/js/values.rs, so that
 * scripts see the same.
 */
export function messageOf(thrown: unknown): string {
  try {
    if (typeof thrown === "object" && thrown !== null && "message" in thrown) {
      const { message } = thrown;
      if (typeof message === "string" && message !== "") {
        return message;
      }
    }
    return String(thrown);
  } catch {
    return "something was thrown that cannot be shown";
  }
}
