/** Holds what the module knows the values by, as long as somebody has them. */
const handles = new WeakMap<LuauValue, object>();

/** A function of a script: it runs in a thread of its own, and the promise is of the array of what it returns. */
export type LuauFunction = (...args: unknown[]) => Promise<unknown[]>;

/** A value of a script that JS can hold and give back, and cannot look into: a thread or a userdata. */
export class LuauValue {
  readonly #text: string;

  constructor(handle: object, text: string) {
    this.#text = text;
    handles.set(this, handle);
  }

  /** Its type and its identity. */
  toString(): string {
    return this.#text;
  }
}
