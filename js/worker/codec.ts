// Sends values between a page and its worker, and preserves everything that the VM preserves: cycles, shared
// references, functions, and objects that are opaque to the other side. The conversions agree with src/convert.rs.

import { Decoder } from "./decoder.js";
import { Encoder, isError } from "./encoder.js";
import type { Packet } from "./packet.js";
import { Table } from "./table.js";

/** The callbacks of a {@link Codec}. */
export interface CodecHooks {
  /** Calls a function of the other side. */
  call(id: number, args: unknown[]): Promise<unknown>;
  /** Called when a value of the other side is no longer needed, with the number of times it had arrived. */
  released(id: number, count: number): void;
  /**
   * True if the other side wants details of objects that stay here: everything about an error, and the text of a
   * handle. Scripts cannot look into host objects, so those only need enough to be raised as errors; reading more could
   * run arbitrary code.
   */
  readonly isShown: boolean;
}

/** One end of the connection between a page and its worker. It packs values, and unpacks the packets of the other end. */
export class Codec {
  readonly #hooks: CodecHooks;
  readonly #table: Table;

  constructor(hooks: CodecHooks) {
    this.#hooks = hooks;
    this.#table = new Table((id, count) => hooks.released(id, count));
  }

  /** The number of this side's values that the other side holds. */
  get size(): number {
    return this.#table.size;
  }

  /**
   * Packs values.
   *
   * @throws the exceptions of getters and proxies among them, TypeError for bytes that were transferred to another
   * thread, RangeError for an array that is too long, `TooLarge` for more than may cross at once. Nothing is sent then
   */
  encode(values: readonly unknown[]): Packet {
    return new Encoder(this.#table, this.#hooks.isShown).encode(values);
  }

  /** Packs a thrown value. For an object only its text crosses, and the other side can throw it back. Never throws. */
  encodeThrown(thrown: unknown): Packet {
    const encoder = () => new Encoder(this.#table, this.#hooks.isShown);
    if (isError(thrown)) {
      try {
        return encoder().encode([thrown]);
      } catch {
        // A `Proxy` of the host, or a value that is too large.
      }
    }
    return encoder().encodeThrown(thrown);
  }

  /** Unpacks a packet of the other side. Must be called once per packet, because arrivals are counted. */
  decode(packet: Packet): unknown[] {
    return new Decoder(this.#table, this.#hooks.call).decode(packet);
  }

  /** Returns this side's value with an ID, for function calls. */
  exported(id: number): unknown {
    return this.#table.exported(id);
  }

  /** Must be called with the arguments that the other side's `released` received. */
  release(id: number, count: number): void {
    this.#table.release(id, count);
  }

  /** Releases everything. */
  clear(): void {
    this.#table.clear();
  }
}
