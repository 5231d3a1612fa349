import type { ErrorText } from "./errors.js";

/**
 * A value in a packet: a primitive, or the index of a node. Every object is a node, so that none can be mistaken for a
 * reference.
 */
export type Slot = undefined | null | boolean | number | bigint | string | { readonly ref: number };

/** An object in a packet, or a description of an object that stays behind. */
export type Node =
  | { readonly type: "array"; readonly items: Slot[] }
  | { readonly type: "object"; readonly keys: string[]; readonly values: Slot[] }
  | { readonly type: "map"; readonly keys: Slot[]; readonly values: Slot[] }
  | { readonly type: "bytes"; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly type: "function"; readonly id: number; readonly name: string | undefined }
  | { readonly type: "jsonNull" }
  | { readonly type: "opaque"; readonly id: number; readonly text: string | undefined }
  | ErrorNode
  /** A value of the receiving side that returns to it. */
  | { readonly type: "yours"; readonly id: number };

interface ErrorNode {
  readonly type: "error";
  readonly id: number;
  readonly error: ErrorText;
  /** The present members: `value` of a {@link LuauError}, and `cause` of any error. */
  readonly keys: ("value" | "cause")[];
  readonly values: Slot[];
}

/** Values in a form that structured cloning accepts at any depth, because nothing in it is nested. */
export interface Packet {
  readonly roots: Slot[];
  readonly nodes: Node[];
  /** The cost of unpacking, as the number of bytes of text that take as long. */
  readonly weight: number;
}

/** Returns the buffers that only the packet refers to, so that they can be transferred instead of copied. */
export function buffersOf({ nodes }: Packet): ArrayBuffer[] {
  return nodes.flatMap((node) => (node.type === "bytes" ? [node.bytes.buffer] : []));
}
