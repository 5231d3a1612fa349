import { LuauError } from "./errors.js";
import { jsonNull } from "./value.js";
import type { Node, Packet, Slot } from "./wire.js";
import { allOf, type ErrorText, messageAndName } from "./worker-errors.js";
import type { Table } from "./worker-table.js";

/** The longest array that fits into a Luau table, as in src/convert.rs. */
const LONGEST_ARRAY = 67_108_864;

/** Limits of one packet. The other side unpacks it in a single task, which should take no more than a few tenths of a second. */
const MAX_NODES = 200_000;
const MAX_PARTS = 4_000_000;
const MAX_LENGTH = 128 * 1_048_576;

/** The longest name of a function that crosses, in characters. */
const MAX_NAME = 100;

/** The weights of an object and of each of its parts, in bytes of text that take as long to unpack. */
const NODE = 512;
const PART = 128;

/** Values are larger than may cross at once. */
export class TooLarge extends RangeError {}

/** The making of one packet. */
export class Packing {
  readonly #table: Table;
  readonly #isShown: boolean;
  readonly #nodes: Node[] = [];
  /** Where each object is among the nodes. */
  readonly #places = new Map<unknown, number>();
  /** Nodes that are still empty, and what they are to be filled from. Not a stack of calls, which could not be as deep. */
  readonly #unfilled: [Node, object][] = [];
  readonly #sent: number[] = [];
  /** How many values there are in others. */
  #parts = 0;
  /** The length of all strings and buffers. */
  #length = 0;

  constructor(table: Table, isShown: boolean) {
    this.#table = table;
    this.#isShown = isShown;
  }

  pack(values: readonly unknown[]): Packet {
    try {
      const roots = Array.from(values, (value) => this.#slot(value));
      for (let next = this.#unfilled.pop(); next !== undefined; next = this.#unfilled.pop()) {
        this.#fill(...next);
      }
      const weight = this.#nodes.length * NODE + this.#parts * PART + this.#length;
      return { roots, nodes: this.#nodes, weight };
    } catch (error) {
      for (const id of this.#sent) {
        this.#table.release(id, 1);
      }
      throw error;
    }
  }

  /** Packs what is no error of JS's own and was thrown like one, or an error that cannot cross with its values. Never throws. */
  packThrown(thrown: unknown): Packet {
    if (crosses(thrown) && !(typeof thrown === "string" && thrown.length > MAX_LENGTH)) {
      return { roots: [thrown], nodes: [], weight: 0 };
    }
    // What stands for it as a value has no message. So, a number of its own.
    const id = this.#table.sendAnew(thrown);
    const text = this.#textOf(thrown);
    const { message } = text;
    const error =
      message.length > MAX_LENGTH ? { ...text, message: `${message.slice(0, MAX_LENGTH)}…` } : text;
    return { roots: [{ ref: 0 }], nodes: [{ type: "error", id, error, keys: [], values: [] }], weight: NODE };
  }

  #textOf(thrown: unknown): ErrorText {
    try {
      return this.#isShown && isError(thrown) ? allOf(thrown) : messageAndName(thrown);
    } catch {
      // A `Proxy` of the host.
      return messageAndName(thrown);
    }
  }

  #slot(value: unknown): Slot {
    if (++this.#parts > MAX_PARTS) {
      throw new TooLarge(`more than ${MAX_PARTS} values cannot cross between a page and its worker at once`);
    }
    if (crosses(value)) {
      if (typeof value === "string") {
        this.#addLength(value.length);
      }
      return value;
    }
    const place = this.#places.get(value);
    return place === undefined ? this.#add(this.#node(value), value) : { ref: place };
  }

  #addLength(length: number): void {
    this.#length += length;
    if (this.#length > MAX_LENGTH) {
      throw new TooLarge(
        `strings and buffers of more than ${MAX_LENGTH} characters and bytes cannot cross between a page and its worker at once`,
      );
    }
  }

  #add(node: Node, value: unknown): Slot {
    if (this.#nodes.length >= MAX_NODES) {
      throw new TooLarge(
        `more than ${MAX_NODES} tables, functions and other objects cannot cross between a page and its worker at once`,
      );
    }
    const ref = this.#nodes.push(node) - 1;
    this.#places.set(value, ref);
    if ("values" in node || "items" in node) {
      this.#unfilled.push([node, value as object]);
    }
    return { ref };
  }

  /** The order of the questions is that of src/convert.rs. */
  #node(value: unknown): Node {
    if (value === jsonNull) {
      return { type: "jsonNull" };
    }
    if (!isObject(value)) {
      return { type: "opaque", id: this.#send(value), text: undefined };
    }
    const origin = this.#table.originOf(value);
    if (origin !== undefined) {
      return { type: "yours", id: origin };
    }
    if (typeof value === "function") {
      return { type: "function", id: this.#send(value), name: this.#isShown ? undefined : nameOf(value) };
    }
    if (Array.isArray(value)) {
      if (value.length > LONGEST_ARRAY) {
        throw new RangeError(`an array of ${value.length} elements is longer than a table can be`);
      }
      return { type: "array", items: [] };
    }
    const bytes = bytesOf(value);
    if (bytes !== undefined) {
      this.#addLength(bytes.length);
      return { type: "bytes", bytes };
    }
    if (value instanceof Map) {
      return { type: "map", keys: [], values: [] };
    }
    if (isPlain(value)) {
      return { type: "object", keys: namesOf(value), values: [] };
    }
    const id = this.#send(value);
    if (!isError(value)) {
      return { type: "opaque", id, text: this.#isShown ? String(value) : undefined };
    }
    // A script can throw and catch a `LuauError` of the page with its value, and cannot see the cause.
    const isLuauError = value instanceof LuauError;
    if (!this.#isShown && !isLuauError) {
      return { type: "error", id, error: messageAndName(value), keys: [], values: [] };
    }
    const keys = (["value", "cause"] as const).filter(
      (key) => key in value && (this.#isShown || key === "value"),
    );
    const error = allOf(value);
    this.#addLength(error.message.length);
    return { type: "error", id, error, keys, values: [] };
  }

  #fill(node: Node, origin: object): void {
    if (node.type === "array") {
      const array = origin as unknown[];
      // Not `for of`: the elements count, and not what an iterator of the page's own would give.
      for (let index = 0, { length } = array; index < length; index++) {
        node.items.push(this.#slot(array[index]));
      }
    } else if (node.type === "map") {
      for (const [key, value] of Array.from(origin as Map<unknown, unknown>)) {
        node.keys.push(this.#slot(key));
        node.values.push(this.#slot(value));
      }
    } else if (node.type === "object" || node.type === "error") {
      for (const key of node.keys) {
        node.values.push(this.#slot((origin as Record<string, unknown>)[key]));
      }
    }
  }

  #send(value: unknown): number {
    const id = this.#table.send(value);
    this.#sent.push(id);
    return id;
  }
}

/** Whether a value is sent as it is. */
function crosses(value: unknown): value is undefined | null | boolean | number | bigint | string {
  return value === null || !["object", "function", "symbol"].includes(typeof value);
}

/** No symbol: nothing else is asked. */
function isObject(value: unknown): value is object {
  return typeof value !== "symbol";
}

/** Whether a value is an error of JS's own, or made like one. */
export function isError(value: unknown): value is Error {
  try {
    return value instanceof Error;
  } catch {
    // A `Proxy` that was revoked.
    return false;
  }
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** The names of the properties of a plain object. The members of a namespace object such as `Math` are not enumerable. */
function namesOf(value: object): string[] {
  const names = Object.keys(value);
  return names.length === 0 && Object.hasOwn(value, Symbol.toStringTag)
    ? Object.getOwnPropertyNames(value)
    : names;
}

/** The name by which errors of scripts call a function. */
function nameOf(value: object): string | undefined {
  try {
    const { name } = value as { name?: unknown };
    return typeof name === "string" && name.length <= MAX_NAME ? name : undefined;
  } catch {
    // A getter, or a `Proxy`.
    return undefined;
  }
}

/** A copy of the bytes of a buffer or a view, which may be of memory that others write to at the same time. */
function bytesOf(value: object): Uint8Array<ArrayBuffer> | undefined {
  if (ArrayBuffer.isView(value)) {
    return new Uint8Array(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  }
  const isShared = typeof SharedArrayBuffer === "function" && value instanceof SharedArrayBuffer;
  return isShared || value instanceof ArrayBuffer ? new Uint8Array(new Uint8Array(value)) : undefined;
}
