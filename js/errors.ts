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

/** The members of a {@link LuauError} beside its message. */
export interface LuauErrorMembers {
  readonly kind: LuauErrorKind;
  readonly chunkName?: string | undefined;
  readonly line?: number | undefined;
  readonly frames?: readonly LuauFrame[];
  readonly traceback?: string;
  readonly value?: unknown;
  readonly cause?: unknown;
}

/** An error that ended a script, or kept it from starting. */
export class LuauError extends Error {
  /** What sort of error it is. */
  readonly kind: LuauErrorKind;
  /** The chunk in which it happened; undefined where no script was running. */
  readonly chunkName: string | undefined;
  /** The line in which it happened, from 1. */
  readonly line: number | undefined;
  /** The call stack of the script, innermost first. */
  readonly frames: readonly LuauFrame[];
  /** The same as text, a line each. */
  readonly traceback: string;
  /** What was thrown, as a JS value; undefined where nothing was. */
  readonly value: unknown;

  constructor(message: string, members: LuauErrorMembers) {
    super(message, "cause" in members ? { cause: members.cause } : undefined);
    this.kind = members.kind;
    this.chunkName = members.chunkName;
    this.line = members.line;
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
