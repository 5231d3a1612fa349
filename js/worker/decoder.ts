import { jsonNull } from "../vm/value.js";
import { errorOf } from "./errors.js";
import type { Node, Packet, Slot } from "./packet.js";
import type { Table } from "./table.js";

/** Unpacks one packet. */
export class Decoder {
  readonly #table: Table;
  readonly #call: (id: number, args: unknown[]) => Promise<unknown>;
  readonly #unfilled: [Node, object][] = [];

  /** @param call calls a function of the other side */
  constructor(table: Table, call: (id: number, args: unknown[]) => Promise<unknown>) {
    this.#table = table;
    this.#call = call;
  }

  decode({ roots, nodes }: Packet): unknown[] {
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
        const callOther = this.#call;
        return this.#table.receive(id, () => {
          const call = (...args: unknown[]) => callOther(id, args);
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
      // The cause of an error is not enumerable.
      const enumerable = node.type === "object" || key === "value";
      const descriptor = { value: open(node.values[index]), writable: true, enumerable, configurable: true };
      // Assigning to `__proto__` would set the prototype instead of a property.
      Object.defineProperty(value, key, descriptor);
    });
  }
}

/** Represents an object of the other side, to be passed back to it. */
class Handle {
  readonly #text: string | undefined;

  constructor(text: string | undefined) {
    this.#text = text;
  }

  /** Keeps reactive libraries away, as in `LuauValue`. */
  get [Symbol.toStringTag](): string {
    return "LuauValue";
  }

  toString(): string {
    return this.#text ?? "[object Object]";
  }
}
