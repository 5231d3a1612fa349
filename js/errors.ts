/**
 * What sort of error it is:
 *
 * - `syntax`: the source is not a Luau program; nothing of it ran.
 * - `runtime`: the script, or a function that it called, raised an error.
 * - `memory`: the script wanted more memory than there is, or than it may have.
 * - `timeout`: the script ran for longer than it may without waiting.
 * - `cancelled`: the thread was cancelled, or the VM stopped, before it ended.
 * - `disposed`: the VM was disposed before the thread ended, or before the call.
 * - `terminated`: the WebAssembly instance is gone after a fault inside it. The next `Luau.create` makes a new one.
 */
export type LuauErrorKind =
  | "syntax"
  | "runtime"
  | "memory"
  | "timeout"
  | "cancelled"
  | "disposed"
  | "terminated";

/** A place in a script: one level of its call stack. */
export interface LuauFrame {
  /** The name of the chunk, as given to `run`; of a module its path. */
  readonly chunkName: string;
  /** The line, from 1. */
  readonly line: number;
  /** The name of the function, if it has one. */
  readonly name: string | undefined;
}

/** An error of a source that is not a Luau program. Lines and columns count from 1; columns are places in a string of JS. */
export interface LuauSyntaxError {
  /** The message, without the place. */
  readonly message: string;
  /** The line of the first character. */
  readonly line: number;
  /** The column of the first character. */
  readonly column: number;
  /** The line of the character behind the last one. */
  readonly endLine: number;
  /** The column of the character behind the last one. */
  readonly endColumn: number;
}

/** The members of a {@link LuauError} beside its message. */
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
 * An error that ended a script, or kept it from starting.
 *
 * A function of the host may throw one, also one that it made: a script that catches it gets its `value`, or its message if it has none.
 * If no script does, it ends the run with its kind, its frames and its cause.
 */
export class LuauError extends Error {
  /** What sort of error it is. */
  readonly kind: LuauErrorKind;
  /** The chunk in which it happened; undefined where no script was running. */
  readonly chunkName: string | undefined;
  /** The line in which it happened, from 1. */
  readonly line: number | undefined;
  /** The column in which a syntax error begins, from 1; undefined for other kinds. */
  readonly column: number | undefined;
  /** All errors of a source, of which the message has the first. Empty unless the kind is `syntax`. Luau finds 100 at most. */
  readonly errors: readonly LuauSyntaxError[];
  /** The call stack of the script, innermost first. */
  readonly frames: readonly LuauFrame[];
  /** The same as text, a line each. */
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
    // JS's own stack would only show the inside of this library.
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

// On the prototype, as the names of JS's own errors are.
Object.defineProperty(LuauError.prototype, "name", {
  value: "LuauError",
  writable: true,
  configurable: true,
});

/** Reads what the module needs of an error that the host threw; undefined if it is no {@link LuauError}. */
export function readError(thrown: unknown): LuauErrorMembers | undefined {
  try {
    if (thrown instanceof LuauError) {
      const { kind, errors, frames, value, cause } = thrown;
      return { kind, errors, frames, value, cause };
    }
  } catch {
    // A `Proxy`, or a getter of a subclass: like any other error.
  }
  return undefined;
}
