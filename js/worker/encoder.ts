import { LuauError } from "../vm/errors.js";
import { jsonNull } from "../vm/value.js";
import { allOf, type ErrorText, messageAndName } from "./errors.js";
import type { Node, Packet, Slot } from "./packet.js";
import type { Table } from "./table.js";

/** The longest array that fits into a Luau table, as in src/convert.rs. */
const MAX_ARRAY_LENGTH = 67_108_864;

/**
 * The limits of a packet. The other side unpacks it in a single task, which should not take more than a few tenths of a
 * second.
 */
const MAX_NODES = 200_000;
const MAX_PARTS = 1_000_000;
const MAX_LENGTH = 128 * 1_048_576;

/** The longest name of a function that crosses, in characters. */
const MAX_NAME = 100;

/** The weights of an object and of each of its parts, in bytes of text that take as long to unpack. */
const NODE_WEIGHT = 512;
const PART_WEIGHT = 128;

/** Thrown if values are larger than may cross at once. */
export class TooLarge extends RangeError {}

/** Encodes one packet. */
export class Encoder {
  readonly #table: Table;
  readonly #isShown: boolean;
  readonly #nodes: Node[] = [];
  /** The indexes of objects among the nodes. */
  readonly #places = new Map<unknown, number>();
  /** Nodes that are still empty, with their origins. A list, because nested calls could not go as deep. */
  readonly #unfilled: [Node, object][] = [];
  readonly #sent: number[] = [];
  /** The number of values within others. */
  #parts = 0;
  /** The total length of all strings, including keys, and of all buffers. */
  #length = 0;

  constructor(table: Table, isShown: boolean) {
    this.#table = table;
    this.#isShown = isShown;
  }

  encode(values: readonly unknown[]): Packet {
    try {
      const roots = Array.from(values, (value) => this.#slot(value));
      for (let next = this.#unfilled.pop(); next !== undefined; next = this.#unfilled.pop()) {
        this.#fill(...next);
      }
      const weight = this.#nodes.length * NODE_WEIGHT + this.#parts * PART_WEIGHT + this.#length;
      return { roots, nodes: this.#nodes, weight };
    } catch (error) {
      for (const id of this.#sent) {
        this.#table.release(id, 1);
      }
      throw error;
    }
  }

  /** Packs a thrown value that is not an error, or an error that cannot cross with its values. Never throws. */
  encodeThrown(thrown: unknown): Packet {
    if (crosses(thrown) && !(typeof thrown === "string" && thrown.length > MAX_LENGTH)) {
      return { roots: [thrown], nodes: [], weight: 0 };
    }
    // As a value it would have no message, so it gets an ID of its own.
    const id = this.#table.sendAnew(thrown);
    const text = this.#textOf(thrown);
    const { message } = text;
    const error =
      message.length > MAX_LENGTH ? { ...text, message: `${message.slice(0, MAX_LENGTH)}…` } : text;
    return {
      roots: [{ ref: 0 }],
      nodes: [{ type: "error", id, error, keys: [], values: [] }],
      weight: NODE_WEIGHT,
    };
  }

  #textOf(thrown: unknown): ErrorText {
    try {
      return this.#isShown && isError(thrown) ? allOf(thrown) : messageAndName(thrown);
    } catch {
      // A `Proxy` of the host threw.
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

  /** Returns a node for an object. The order of the tests is that of src/convert.rs. */
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
      if (value.length > MAX_ARRAY_LENGTH) {
        throw new RangeError(`an array of ${value.length} elements is longer than a table can be`);
      }
      return { type: "array", items: [] };
    }
    if (isPlain(value)) {
      return { type: "object", keys: namesOf(value), values: [] };
    }
    const bytes = bytesOf(value);
    if (bytes !== undefined) {
      this.#addLength(bytes.length);
      return { type: "bytes", bytes };
    }
    if (value instanceof Map) {
      return { type: "map", keys: [], values: [] };
    }
    const id = this.#send(value);
    if (!isError(value)) {
      return { type: "opaque", id, text: this.#isShown ? String(value) : undefined };
    }
    // A script can catch a `LuauError` of the host and read its value, but cannot see the cause.
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
      // Not `for of`: it reads the elements, not the results of a custom iterator.
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
        this.#addLength(key.length);
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

/** Returns true if a value can be sent as it is. */
function crosses(value: unknown): value is undefined | null | boolean | number | bigint | string {
  return value === null || !["object", "function", "symbol"].includes(typeof value);
}

/** Returns true unless the value is a symbol. Other primitives were handled before. */
function isObject(value: unknown): value is object {
  return typeof value !== "symbol";
}

/** Returns true if a value is an error of JS or derived from one. */
export function isError(value: unknown): value is Error {
  try {
    return value instanceof Error;
  } catch {
    // A revoked `Proxy`.
    return false;
  }
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Returns the property names of a plain object. The members of namespace objects such as `Math` are not enumerable. */
function namesOf(value: object): string[] {
  const names = Object.keys(value);
  return names.length === 0 && Object.hasOwn(value, Symbol.toStringTag)
    ? Object.getOwnPropertyNames(value)
    : names;
}

/** Returns the name by which errors of scripts call a function. */
function nameOf(value: object): string | undefined {
  try {
    const { name } = value as { name?: unknown };
    return typeof name === "string" && name.length <= MAX_NAME ? name : undefined;
  } catch {
    // A getter or a `Proxy` threw.
    return undefined;
  }
}

/** Copies the bytes of a buffer or a view. The memory may be shared, and change during the copy. */
function bytesOf(value: object): Uint8Array<ArrayBuffer> | undefined {
  if (ArrayBuffer.isView(value)) {
    return new Uint8Array(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  }
  const isShared = typeof SharedArrayBuffer === "function" && value instanceof SharedArrayBuffer;
  return isShared || value instanceof ArrayBuffer ? new Uint8Array(new Uint8Array(value)) : undefined;
}
