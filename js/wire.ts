// Values that cross between a page and its worker, with nothing lost of what the VM itself keeps: circles, shared references,
// functions, and objects that only their own side can look into. What becomes of which value agrees with src/convert.rs.

import { jsonNull } from "./value.js";
import { type ErrorText, errorOf } from "./worker-errors.js";
import { isError, Packing } from "./worker-packing.js";
import { Table } from "./worker-table.js";

/** A value in a packet: itself, or which of the nodes. Every object is a node, so that none can be taken for a reference. */
export type Slot = undefined | null | boolean | number | bigint | string | { readonly ref: number };

/** An object in a packet, or what is known of one that stays behind. */
export type Node =
  | { readonly type: "array"; readonly items: Slot[] }
  | { readonly type: "object"; readonly keys: string[]; readonly values: Slot[] }
  | { readonly type: "map"; readonly keys: Slot[]; readonly values: Slot[] }
  | { readonly type: "bytes"; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly type: "function"; readonly id: number; readonly name: string | undefined }
  | { readonly type: "jsonNull" }
  | { readonly type: "opaque"; readonly id: number; readonly text: string | undefined }
  | ErrorNode
  /** A value of the side that gets the packet, which comes back to it. */
  | { readonly type: "yours"; readonly id: number };

interface ErrorNode {
  readonly type: "error";
  readonly id: number;
  readonly error: ErrorText;
  /** What else there is: `value` of a {@link LuauError}, `cause` of any. */
  readonly keys: ("value" | "cause")[];
  readonly values: Slot[];
}

/** Values as the algorithm of structured clones takes them, however deep they are: none of it is nested. */
export interface Packet {
  readonly roots: Slot[];
  readonly nodes: Node[];
  /** The cost of unpacking it, in bytes of text that take as long. */
  readonly weight: number;
}

/** What a {@link Wire} needs of its side. */
export interface WireHooks {
  /** Calls a function of the other side. */
  call(id: number, args: unknown[]): Promise<unknown>;
  /** Is told that a value of the other side is not needed any more, which had come so many times. */
  released(id: number, count: number): void;
  /**
   * Whether the other side wants to see the objects that stay here: all that is known of an error, and the text of a handle. A
   * script cannot look into the page's objects, so those need only what it takes to raise them as errors; and to ask them for
   * more could run any code.
   */
  readonly isShown: boolean;
}

/** One end of what connects a page and its worker: makes packets of values, and values of the packets of the other end. */
export class Wire {
  readonly #hooks: WireHooks;
  readonly #table: Table;

  constructor(hooks: WireHooks) {
    this.#hooks = hooks;
    this.#table = new Table((id, count) => hooks.released(id, count));
  }

  /** How many values of this side the other one holds. */
  get size(): number {
    return this.#table.size;
  }

  /**
   * Packs values.
   *
   * @throws what a getter or a `Proxy` among them throws, and TypeError for bytes that were handed over to another thread, RangeError
   * for an array that is too long, `TooLarge` for more than may cross at once; then nothing is sent
   */
  encode(values: readonly unknown[]): Packet {
    return new Packing(this.#table, this.#hooks.isShown).pack(values);
  }

  /** Packs what was thrown: of an object only its text crosses, and the other side can throw it back. Never throws. */
  encodeThrown(thrown: unknown): Packet {
    const packing = () => new Packing(this.#table, this.#hooks.isShown);
    if (isError(thrown)) {
      try {
        return packing().pack([thrown]);
      } catch {
        // A `Proxy` of the page's own, or its value is too large.
      }
    }
    return packing().packThrown(thrown);
  }

  /** Unpacks what the other side has packed: each packet once, since that it has come counts. */
  decode(packet: Packet): unknown[] {
    return new Unpacking(this.#table, this.#hooks).unpack(packet);
  }

  /** The value of this side behind a number: for calls of functions. */
  exported(id: number): unknown {
    return this.#table.exported(id);
  }

  /** Is to be called with what the other side's `released` was told. */
  release(id: number, count: number): void {
    this.#table.release(id, count);
  }

  /** Lets go of everything. */
  clear(): void {
    this.#table.clear();
  }
}

/** The memory of a packet that nobody but the packet has, so that it need not be copied again. */
export function buffersOf({ nodes }: Packet): ArrayBuffer[] {
  return nodes.flatMap((node) => (node.type === "bytes" ? [node.bytes.buffer] : []));
}

/** The unpacking of one packet. */
class Unpacking {
  readonly #table: Table;
  readonly #hooks: WireHooks;
  readonly #unfilled: [Node, object][] = [];

  constructor(table: Table, hooks: WireHooks) {
    this.#table = table;
    this.#hooks = hooks;
  }

  unpack({ roots, nodes }: Packet): unknown[] {
    const values = nodes.map((node) => this.#empty(node));
    const open = (slot: Slot) => (typeof slot === "object" && slot !== null ? values[slot.ref] : slot);
    for (const [node, value] of this.#unfilled) {
      fill(node, value, open);
    }
    return roots.map(open);
  }

  #empty(node: Node): unknown {
    switch (node.type) {
      case "array":
        return this.#toFill(node, []);
      case "map":
        return this.#toFill(node, new Map());
      case "object":
        return this.#toFill(node, {});
      case "bytes":
        return node.bytes;
      case "function": {
        const { id, name } = node;
        const hooks = this.#hooks;
        return this.#table.receive(id, () => {
          const call = (...args: unknown[]) => hooks.call(id, args);
          return Object.defineProperty(call, "name", { value: name ?? "", configurable: true });
        });
      }
      case "jsonNull":
        return jsonNull;
      case "opaque":
        return this.#table.receive(node.id, () => new Handle(node.text));
      case "error":
        return this.#table.receive(node.id, () => this.#toFill(node, errorOf(node.error)));
      case "yours":
        return this.#table.exported(node.id);
    }
  }

  #toFill<T extends object>(node: Node, value: T): T {
    this.#unfilled.push([node, value]);
    return value;
  }
}

function fill(node: Node, value: object, open: (slot: Slot) => unknown): void {
  if (node.type === "array") {
    const array = value as unknown[];
    for (const slot of node.items) {
      array.push(open(slot));
    }
  } else if (node.type === "map") {
    const map = value as Map<unknown, unknown>;
    node.keys.forEach((key, index) => {
      map.set(open(key), open(node.values[index]));
    });
  } else if (node.type === "object" || node.type === "error") {
    node.keys.forEach((key, index) => {
      // The cause of an error is none of its keys.
      const enumerable = node.type === "object" || key === "value";
      const descriptor = { value: open(node.values[index]), writable: true, enumerable, configurable: true };
      // Assigned, `__proto__` would be no property.
      Object.defineProperty(value, key, descriptor);
    });
  }
}

/** Stands for an object of the other side, to be given back to it. */
class Handle {
  readonly #text: string | undefined;

  constructor(text: string | undefined) {
    this.#text = text;
  }

  /** As `LuauValue` has one: reactive libraries leave it alone. */
  get [Symbol.toStringTag](): string {
    return "LuauValue";
  }

  toString(): string {
    return this.#text ?? "[object Object]";
  }
}
