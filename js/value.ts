/**
 * Stands for `json.null` on the way to a script, where `null` and `undefined` become nil: in `[1, jsonNull, 3]` a script finds three elements,
 * and `json.encode` makes `null` of the second. What a script returns as `json.null` is `null`.
 */
export const jsonNull: unique symbol = Symbol.for("luau-websocket.jsonNull");

/** Holds what the module knows the values by, as long as somebody has them. */
const handles = new WeakMap<LuauValue, object>();

/**
 * A function of a script: it runs in a thread of its own, and the promise is of the array of what it returns. If nobody waits for the
 * promise, an error goes to the option `onError`.
 */
export type LuauFunction = (...args: unknown[]) => Promise<unknown[]>;

/** A value of a script that JS can hold and give back, and cannot look into: a thread or a userdata. */
export class LuauValue {
  readonly #text: string;

  constructor(handle: object, text: string) {
    this.#text = text;
    handles.set(this, handle);
  }

  /** Tells reactive libraries such as Vue that this is no plain object, so that they leave it alone: a script gets back the same object. */
  get [Symbol.toStringTag](): string {
    return "LuauValue";
  }

  /** Its type and its identity. */
  toString(): string {
    return this.#text;
  }
}
