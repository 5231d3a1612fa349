/**
 * Becomes `json.null` in a script, whereas `null` and `undefined` become nil. A script sees three elements in `[1, jsonNull, 3]`, and
 * `json.encode` writes the second as `null`. In the other direction `json.null` becomes `null`.
 */
export const jsonNull: unique symbol = Symbol.for("luau-websocket.jsonNull");

/** The module's handle for each value, kept as long as the value. */
const handles = new WeakMap<LuauValue, object>();

/**
 * A script's function. Each call runs in its own thread and returns a promise for the array of results. If nothing handles the promise, an
 * error goes to the option `onError`.
 */
export type LuauFunction = (...args: unknown[]) => Promise<unknown[]>;

/** An opaque value of a script, a thread or a userdata. JS can keep it and pass it back. */
export class LuauValue {
  readonly #text: string;

  constructor(handle: object, text: string) {
    this.#text = text;
    handles.set(this, handle);
  }

  /** Keeps reactive libraries such as Vue from wrapping the object in a proxy, so that scripts get the same object back. */
  get [Symbol.toStringTag](): string {
    return "LuauValue";
  }

  /** Returns the type and the identity of the value, as `tostring` in Luau. */
  toString(): string {
    return this.#text;
  }
}
