// What a page and its worker say to each other: calls with answers, and lines of output without.

import { LuauError } from "./errors.js";
import { buffersOf, type Packet, Wire } from "./wire.js";
import { messageOf } from "./worker-errors.js";
import type { Pace } from "./worker-pace.js";

/** A function of the other side: one that it always has, or one that it sent. */
type Target = string | number;

type Message =
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
  | { readonly type: "release"; readonly id: number; readonly count: number };

/** What goes to the other side at a time, in order. */
export type Batch = readonly Message[];

/** What a worker posts when its VM is disposed, and it may be ended. */
export const GONE = "gone";

/** A function that a side always has; it is given the arguments of the call, and what else belongs to it. */
export type Method = (args: unknown[], call: CallDetails) => unknown;

/** What belongs to a call beside its arguments. */
export interface CallDetails {
  /** On the side that is called, one that is aborted when the caller's is. Of what has no answer there is none. */
  readonly signal?: AbortSignal | undefined;
  /** What crosses by itself and is no value, such as a `WebAssembly.Module`. */
  readonly raw?: unknown;
}

/** What else there is to say of a call. */
interface CallOptions extends CallDetails {
  /** What the arguments are, for the error when they cannot cross. */
  readonly what?: string | undefined;
}

interface Pending {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/**
 * What has no answer goes out at once as long as that is one message in a millisecond, or so many after a rest: so the last words
 * of a script that goes on to hang are seen.
 */
const BURST = 256;
/** More than that is collected until the next macrotask, yet not for more milliseconds than a frame of the page has. */
const PERIOD = 16;
/** More is never collected: so many messages, and about so many bytes. */
const MOST_MESSAGES = 1_024;
const MOST_BYTES = 1_048_576;
/** What a value with parts and each of them count for, in bytes: to make it anew costs as much as to take so long a text. */
const NODE = 512;
const PART = 128;

/** One end of what connects a page and its worker. Both are made alike. */
export class Peer {
  readonly #post: (batch: Batch, transfer: ArrayBuffer[]) => void;
  readonly #methods: ReadonlyMap<string, Method>;
  readonly #wire: Wire;
  readonly #pending = new Map<number, Pending>();
  /** The calls of the other side that are under way here. */
  readonly #serving = new Map<number, AbortController>();
  #lastCall = 0;
  #collected: Message[] = [];
  #collectedBytes = 0;
  #flushTimer: ReturnType<typeof setTimeout> | undefined;
  /** How many more may go out at once; below zero while too many come. */
  #allowance = BURST;
  #countedAt = 0;
  #flushedAt = 0;
  readonly #pace: Pace | undefined;
  /** What calls are rejected with, once the other side is gone. */
  #ended: Error | undefined;

  /**
   * @param methods by their names
   * @param isShown whether the other side shows the objects of this one, see {@link Wire}
   * @param pace holds up this side when it tells too much
   */
  constructor(
    post: (batch: Batch, transfer: ArrayBuffer[]) => void,
    methods: Readonly<Record<string, Method>>,
    isShown: boolean,
    pace?: Pace,
  ) {
    this.#post = post;
    this.#pace = pace;
    this.#methods = new Map(Object.entries(methods));
    this.#wire = new Wire({
      call: (id, args) => this.call(id, args),
      released: (id, count) => {
        if (this.#ended === undefined) {
          this.#collected.push({ type: "release", id, count });
          this.#flushSoon();
        }
      },
      isShown,
    });
  }

  /** Whether {@link end} was called. */
  get isEnded(): boolean {
    return this.#ended !== undefined;
  }

  /**
   * Calls a function of the other side. The promise is rejected with what it throws, with a {@link LuauError} when the arguments
   * cannot cross, and with what {@link end} is given.
   */
  call(
    target: Target,
    args: readonly unknown[],
    { signal, raw, what = "an argument" }: CallOptions = {},
  ): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) {
        throw this.#ended;
      }
      const packet = this.#pack(what, args);
      // A getter among the arguments may have ended this side.
      if (this.#ended !== undefined) {
        throw this.#ended;
      }
      const id = ++this.#lastCall;
      const abort = () => this.#send({ type: "abort", id, reason: this.#wire.encodeThrown(signal?.reason) });
      this.#pending.set(id, {
        resolve: (value) => {
          signal?.removeEventListener("abort", abort);
          resolve(value);
        },
        reject: (error) => {
          signal?.removeEventListener("abort", abort);
          reject(error);
        },
      });
      this.#send({ type: "call", id, target, args: packet, ...(raw === undefined ? {} : { raw }) });
      signal?.addEventListener("abort", abort, { once: true });
      // A getter among the arguments may have aborted it.
      if (signal?.aborted) {
        abort();
      }
    });
  }

  /**
   * Calls a method of the other side that nobody waits for. It may go out a little later, yet before whatever is said next.
   *
   * @param length how long it is, about, in bytes
   */
  tell(target: string, args: readonly unknown[], length = 0): void {
    if (this.#ended !== undefined) {
      return;
    }
    const packet = this.#wire.encode(args);
    this.#collected.push({ type: "tell", target, args: packet });
    const weight = length + weightOf(packet);
    this.#collectedBytes += weight;
    const isMuch = this.#collected.length >= MOST_MESSAGES || this.#collectedBytes >= MOST_BYTES;
    // Asked in any case, since it counts.
    if (this.#isDue() || isMuch) {
      this.flush();
    } else {
      this.#flushSoon();
    }
    const milliseconds = this.#pace?.count(weight) ?? 0;
    if (milliseconds > 0) {
      this.flush();
      this.#pace?.hold(milliseconds);
    }
  }

  /** Counts a message, and tells whether it is to go out at once. */
  #isDue(): boolean {
    const now = performance.now();
    const allowance = Math.min(BURST, this.#allowance + now - this.#countedAt) - 1;
    // What is collected counts as well: a flood has to rest for long before it may burst again, since where the machine is busy,
    // the worker rests by force, and the page could do with less, not with more.
    this.#allowance = Math.max(-BURST, allowance);
    this.#countedAt = now;
    return allowance >= 0 || now - this.#flushedAt >= PERIOD;
  }

  /** Sends what is collected. */
  flush(): void {
    clearTimeout(this.#flushTimer);
    this.#flushTimer = undefined;
    const batch = this.#collected;
    if (batch.length > 0) {
      this.#collected = [];
      this.#collectedBytes = 0;
      this.#flushedAt = performance.now();
      this.#post(batch, batch.flatMap(buffersIn));
    }
  }

  /** Takes what the other side has posted. */
  receive(batch: Batch): void {
    for (const message of batch) {
      // What is told may end this side.
      if (this.#ended !== undefined) {
        return;
      }
      this.#take(message);
    }
  }

  /**
   * The other side is gone, or is not wanted any more.
   *
   * @param pending what the calls that have no answer are rejected with
   * @param later what later ones are
   */
  end(pending: Error, later: Error = pending): void {
    if (this.#ended !== undefined) {
      return;
    }
    this.#ended = later;
    clearTimeout(this.#flushTimer);
    for (const { reject } of this.#pending.values()) {
      reject(pending);
    }
    this.#pending.clear();
    this.#serving.clear();
    this.#collected = [];
    this.#wire.clear();
  }

  #take(message: Message): void {
    switch (message.type) {
      case "call":
        this.#serve(message.id, message.target, this.#wire.decode(message.args), message.raw);
        break;
      case "tell":
        this.#hear(message.target, this.#wire.decode(message.args));
        break;
      case "abort":
        this.#serving.get(message.id)?.abort(this.#wire.decode(message.reason)[0]);
        break;
      case "answer":
        this.#settle(message.id)?.resolve(this.#wire.decode(message.value)[0]);
        break;
      case "failure":
        this.#settle(message.id)?.reject(this.#wire.decode(message.thrown)[0]);
        break;
      case "release":
        this.#wire.release(message.id, message.count);
        break;
    }
  }

  async #serve(id: number, target: Target, args: unknown[], raw: unknown): Promise<void> {
    try {
      const value = await this.#invoke(id, target, args, raw);
      if (this.#ended !== undefined) {
        return;
      }
      this.#send({ type: "answer", id, value: this.#pack("what the function returned", [value]) });
    } catch (thrown) {
      // Also when the answer is too large to be sent.
      this.#send({ type: "failure", id, thrown: this.#wire.encodeThrown(thrown) });
    } finally {
      this.#serving.delete(id);
    }
  }

  #invoke(id: number, target: Target, args: unknown[], raw: unknown): unknown {
    if (typeof target === "number") {
      // Not told of anything to hold on to as `this`.
      return Reflect.apply(this.#wire.exported(target) as (...args: unknown[]) => unknown, undefined, args);
    }
    const controller = new AbortController();
    this.#serving.set(id, controller);
    return this.#methods.get(target)?.(args, { signal: controller.signal, raw });
  }

  #hear(target: string, args: unknown[]): void {
    try {
      this.#methods.get(target)?.(args, {});
    } catch (error) {
      // Whoever told it has gone on.
      console.error(error);
    }
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  #pack(what: string, values: readonly unknown[]): Packet {
    try {
      return this.#wire.encode(values);
    } catch (thrown) {
      throw new LuauError(`${what} cannot be a Luau value: ${messageOf(thrown)}`, {
        kind: "runtime",
        cause: thrown,
      });
    }
  }

  #send(message: Message): void {
    if (this.#ended === undefined) {
      this.#collected.push(message);
      this.flush();
    }
  }

  #flushSoon(): void {
    this.#flushTimer ??= setTimeout(() => this.flush(), 0);
  }
}

function weightOf({ nodes }: Packet): number {
  let parts = 0;
  for (const node of nodes) {
    if ("items" in node) {
      parts += node.items.length;
    } else if ("values" in node) {
      parts += node.values.length;
    }
  }
  return nodes.length * NODE + parts * PART;
}

function buffersIn(message: Message): ArrayBuffer[] {
  switch (message.type) {
    case "call":
    case "tell":
      return buffersOf(message.args);
    case "answer":
      return buffersOf(message.value);
    default:
      return [];
  }
}
