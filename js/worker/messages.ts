// The messages between a page and its worker.

import { buffersOf, type Packet } from "./packet.js";

/** A function of the other side: a method by name, or a function that it sent. */
export type Target = string | number;

export type Message =
  | {
      readonly type: "call";
      readonly id: number;
      readonly target: Target;
      readonly args: Packet;
      readonly raw?: unknown;
    }
  | { readonly type: "notify"; readonly target: string; readonly args: Packet }
  | { readonly type: "abort"; readonly id: number; readonly reason: Packet }
  | { readonly type: "result"; readonly id: number; readonly value: Packet }
  | { readonly type: "error"; readonly id: number; readonly thrown: Packet }
  | { readonly type: "release"; readonly id: number; readonly count: number }
  /** Messages of this weight were processed in this time. */
  | { readonly type: "acknowledge"; readonly weight: number; readonly milliseconds: number };

/** Messages that are posted together, in order. */
export interface Batch {
  readonly messages: readonly Message[];
  /** The cost of processing them, as the number of bytes of text that take as long. */
  readonly weight: number;
}

/** A queued message and its weight. */
export interface Queued {
  readonly message: Message;
  readonly weight: number;
}

/**
 * The weight of any message in addition to its values. It makes the limit 50,000 short lines per second; see
 * rate-limiter.ts.
 */
const MESSAGE_WEIGHT = 560;

/** @param extra the cost in addition to the values */
export function weightOf(message: Message, extra = 0): number {
  return MESSAGE_WEIGHT + extra + (packetOf(message)?.weight ?? 0);
}

/** Returns the buffers that can be transferred with a message. */
export function buffersIn(message: Message): ArrayBuffer[] {
  const packet = packetOf(message);
  return packet === undefined ? [] : buffersOf(packet);
}

function packetOf(message: Message): Packet | undefined {
  switch (message.type) {
    case "call":
    case "notify":
      return message.args;
    case "abort":
      return message.reason;
    case "result":
      return message.value;
    case "error":
      return message.thrown;
    default:
      return undefined;
  }
}
