import { LuauError, type LuauErrorMembers, messageOf } from "../vm/errors.js";

/** An error without the values that it refers to. */
export interface ErrorText {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  /** The code by which Node and the host's own classes identify errors. */
  readonly code?: string | number;
  /** The members of a {@link LuauError}. */
  readonly members?: Pick<
    LuauErrorMembers,
    "kind" | "chunkName" | "line" | "errors" | "frames" | "traceback"
  >;
}

/** Describes any thrown value, as far as the other side needs it to raise an error. */
export function messageAndName(thrown: unknown): ErrorText {
  const name = memberOf(thrown, "name");
  const code = memberOf(thrown, "code");
  return {
    name: typeof name === "string" ? name : "Error",
    message: messageOf(thrown),
    ...(typeof code === "string" || typeof code === "number" ? { code } : {}),
  };
}

function memberOf(thrown: unknown, name: "name" | "code"): unknown {
  try {
    return (thrown as Partial<Record<string, unknown>> | null | undefined)?.[name];
  } catch {
    // A getter or a `Proxy` threw. The message is enough.
    return undefined;
  }
}

/** Describes an error of this library or of the runtime completely. */
export function allOf(error: Error): ErrorText {
  const text = {
    ...messageAndName(error),
    ...(typeof error.stack === "string" ? { stack: error.stack } : {}),
  };
  if (!(error instanceof LuauError)) {
    return text;
  }
  const { kind, chunkName, line, errors, frames, traceback } = error;
  return { ...text, members: { kind, chunkName, line, errors, frames, traceback } };
}

const CONSTRUCTORS = new Map<string, ErrorConstructor>([
  ["EvalError", EvalError],
  ["RangeError", RangeError],
  ["ReferenceError", ReferenceError],
  ["SyntaxError", SyntaxError],
  ["TypeError", TypeError],
  ["URIError", URIError],
]);

/** Creates the error that {@link allOf} or {@link messageAndName} described. */
export function errorOf({ name, message, stack, code, members }: ErrorText): Error {
  if (members !== undefined) {
    return new LuauError(message, members);
  }
  const type = CONSTRUCTORS.get(name) ?? Error;
  const error = new type(message);
  const own = { name: name === error.name ? undefined : name, stack, code };
  for (const [key, value] of Object.entries(own)) {
    if (value !== undefined) {
      Object.defineProperty(error, key, { value, writable: true, configurable: true });
    }
  }
  return error;
}
