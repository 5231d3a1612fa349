// The messages between a page and its worker.

import { buffersOf, type Packet } from "./wire.js";

/** A function of the other side: one that it always has, or one that it sent. */
export type Target = string | number;

export type Message =
  | {
      readonly type: "call";
      readonly id: number;
      readonly target: Target;
      readonly args: Packet;
      readonly raw?: unknown;
    }
  | { readonly type: "tell"; readonly target: string; readonly args: Packet }
  | { readonly type: "abort"; readonly id: number; readonly reason: Packet }
  | { readonly type: "answer"; readonly id: number; readonly value: Packet }
  | { readonly type: "failure"; readonly id: number; readonly thrown: Packet }
  | { readonly type: "release"; readonly id: number; readonly count: number }
  /** Messages of so much weight were taken, in so much time. */
  | { readonly type: "acknowledge"; readonly weight: number; readonly milliseconds: number };

/** Messages that are posted together, in order. */
export interface Batch {
  readonly messages: readonly Message[];
  /** The cost of taking them, in bytes of text that take as long. */
  readonly weight: number;
}

/** A message that waits, and its weight. */
export interface Queued {
  readonly message: Message;
  readonly weight: number;
}

/** The weight of any message, beside that of its values: with it, pages are told 50,000 short lines in a second, see worker-pace.ts. */
const MESSAGE = 560;

/** @param extra what it costs beside its values */
export function weightOf(message: Message, extra = 0): number {
  return MESSAGE + extra + (packetOf(message)?.weight ?? 0);
}

/** Returns the memory that a message can hand over. */
export function buffersIn(message: Message): ArrayBuffer[] {
  const packet = packetOf(message);
  return packet === undefined ? [] : buffersOf(packet);
}

function packetOf(message: Message): Packet | undefined {
  switch (message.type) {
    case "call":
    case "tell":
      return message.args;
    case "abort":
      return message.reason;
    case "answer":
      return message.value;
    case "failure":
      return message.thrown;
    default:
      return undefined;
  }
}
