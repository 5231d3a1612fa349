import type { Node, Packet, Slot } from "./wire.js";
import { allOf, messageAndName } from "./worker-errors.js";
import type { Table } from "./worker-table.js";

/** The longest array that fits into a Luau table, as in src/convert.rs. */
const LONGEST_ARRAY = 67_108_864;

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

  constructor(table: Table, isShown: boolean) {
    this.#table = table;
    this.#isShown = isShown;
  }

  pack(values: readonly unknown[]): Packet {
    try {
      const packet = { roots: Array.from(values, (value) => this.#slot(value)), nodes: this.#nodes };
      for (let next = this.#unfilled.pop(); next !== undefined; next = this.#unfilled.pop()) {
        this.#fill(...next);
      }
      return packet;
    } catch (error) {
      for (const id of this.#sent) {
        this.#table.release(id, 1);
      }
      throw error;
    }
  }

  /** Packs what is no error of JS's own, and was thrown like one. Never throws. */
  packThrown(thrown: unknown): Packet {
    if (crosses(thrown)) {
      return { roots: [thrown], nodes: [] };
    }
    // What stands for it as a value has no message. So, a number of its own.
    const id = this.#table.sendAnew(thrown);
    const error = messageAndName(thrown);
    return { roots: [{ ref: 0 }], nodes: [{ type: "error", id, error, keys: [], values: [] }] };
  }

  #slot(value: unknown): Slot {
    if (crosses(value)) {
      return value;
    }
    const place = this.#places.get(value);
    return place === undefined ? this.#add(this.#node(value), value) : { ref: place };
  }

  #add(node: Node, value: unknown): Slot {
    const ref = this.#nodes.push(node) - 1;
    this.#places.set(value, ref);
    if ("values" in node || "items" in node) {
      this.#unfilled.push([node, value as object]);
    }
    return { ref };
  }

  /** The order of the questions is that of src/convert.rs. */
  #node(value: unknown): Node {
    if (!isObject(value)) {
      return { type: "opaque", id: this.#send(value), text: undefined };
    }
    const origin = this.#table.originOf(value);
    if (origin !== undefined) {
      return { type: "yours", id: origin };
    }
    if (typeof value === "function") {
      return { type: "function", id: this.#send(value) };
    }
    if (Array.isArray(value)) {
      if (value.length > LONGEST_ARRAY) {
        throw new RangeError(`an array of ${value.length} elements is longer than a table can be`);
      }
      return { type: "array", items: [] };
    }
    const bytes = bytesOf(value);
    if (bytes !== undefined) {
      return { type: "bytes", bytes };
    }
    if (value instanceof Map) {
      return { type: "map", keys: [], values: [] };
    }
    if (isPlain(value)) {
      return { type: "object", keys: Object.keys(value), values: [] };
    }
    const id = this.#send(value);
    if (!isError(value)) {
      return { type: "opaque", id, text: this.#isShown ? String(value) : undefined };
    }
    if (!this.#isShown) {
      return { type: "error", id, error: messageAndName(value), keys: [], values: [] };
    }
    const keys = (["value", "cause"] as const).filter((key) => key in value);
    return { type: "error", id, error: allOf(value), keys, values: [] };
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

/** A copy of the bytes of a buffer or a view, which may be of memory that others write to at the same time. */
function bytesOf(value: object): Uint8Array<ArrayBuffer> | undefined {
  if (ArrayBuffer.isView(value)) {
    return new Uint8Array(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  }
  const isShared = typeof SharedArrayBuffer === "function" && value instanceof SharedArrayBuffer;
  return isShared || value instanceof ArrayBuffer ? new Uint8Array(new Uint8Array(value)) : undefined;
}
