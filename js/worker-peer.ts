// What a page and its worker say to each other: calls with answers, and lines of output without.

import { callPromise, rejectCallPromise } from "./call-promise.js";
import { LuauError } from "./errors.js";
import { type Packet, Wire } from "./wire.js";
import { messageOf } from "./worker-errors.js";
import { Sender } from "./worker-flow.js";
import { Inbox } from "./worker-inbox.js";
import {
  type Batch,
  buffersIn,
  type Message,
  type Queued,
  type Target,
  weightOf,
} from "./worker-messages.js";
import type { Pace } from "./worker-pace.js";
import { TooLarge } from "./worker-packing.js";

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
/** A batch has no more than so many messages, and about so many bytes; and so much is collected while nothing is acknowledged. */
const MAX_MESSAGES = 1_024;
const MAX_WEIGHT = 1_048_576;
/** One end of what connects a page and its worker. Both are made alike. */
export class Peer {
  readonly #post: (batch: Batch, transfer: ArrayBuffer[]) => void;
  readonly #methods: ReadonlyMap<string, Method>;
  readonly #wire: Wire;
  readonly #pending = new Map<number, Pending>();
  /** The calls of the other side that are under way here. */
  readonly #serving = new Map<number, AbortController>();
  #lastCall = 0;
  #collected: Queued[] = [];
  #collectedWeight = 0;
  #flushTimer: ReturnType<typeof setTimeout> | undefined;
  /** How many more may go out at once; below zero while too many come. */
  #allowance = BURST;
  #countedAt = 0;
  #flushedAt = 0;
  readonly #pace: Pace | undefined;
  /** Of a side that is bounded in what it has on its way. */
  readonly #sender: Sender | undefined;
  readonly #inbox = new Inbox(
    (message) => this.#take(message),
    (acknowledgment) => this.#send(acknowledgment),
  );
  /** What calls are rejected with, once the other side is gone. */
  #ended: Error | undefined;

  /**
   * @param methods by their names. If there is an `onError`, it gets the errors of calls that nobody waits for.
   * @param isShown whether the other side shows the objects of this one, see {@link Wire}
   * @param pace holds up this side when it tells too much. It waits for the other side's acknowledgments then, too
   */
  constructor(
    post: (batch: Batch, transfer: ArrayBuffer[]) => void,
    methods: Readonly<Record<string, Method>>,
    isShown: boolean,
    pace?: Pace,
  ) {
    this.#post = post;
    this.#pace = pace;
    this.#sender = pace && new Sender();
    this.#methods = new Map(Object.entries(methods));
    this.#wire = new Wire({
      call: (id, args) => this.#callFunction(id, args),
      released: (id, count) => {
        if (this.#ended === undefined) {
          this.#collect({ type: "release", id, count });
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

  #callFunction(id: number, args: unknown[]): Promise<unknown> {
    const promise = this.call(id, args) as Promise<unknown[]>;
    promise.catch((error) => rejectCallPromise(promise, error, () => this.#hear("onError", [error])));
    return callPromise(promise);
  }

  /**
   * Calls a method of the other side that nobody waits for. It may go out a little later, yet before whatever is said next.
   *
   * @param extra what it costs beside its arguments, in bytes
   */
  tell(target: string, args: readonly unknown[], extra = 0): void {
    if (this.#ended === undefined) {
      this.#tell(target, this.#pack("a value", args), extra);
    }
  }

  /** Sends an error like {@link tell}. If it cannot cross as a whole, only its text does. */
  tellError(target: string, error: unknown, extra: number): void {
    if (this.#ended === undefined) {
      this.#tell(target, this.#wire.encodeThrown(error), extra);
    }
  }

  #tell(target: string, args: Packet, extra: number): void {
    const weight = this.#collect({ type: "tell", target, args }, extra);
    const milliseconds = this.#pace?.count(weight) ?? 0;
    // Asked in any case, since it counts.
    const isDue = this.#isDue();
    if (milliseconds > 0 || this.#collected.length >= MAX_MESSAGES || this.#collectedWeight >= MAX_WEIGHT) {
      // A script that never waits keeps acknowledgments from coming in. So it is held up by the clock.
      const uncounted = this.#postBatch();
      this.#pace?.hold(Math.max(milliseconds, this.#pace.count(uncounted)));
    } else if (isDue) {
      this.flush();
    } else {
      this.#flushSoon();
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

  /** Sends what is collected, as far as the other side is ready for it; and the rest later. */
  flush(): void {
    clearTimeout(this.#flushTimer);
    this.#flushTimer = undefined;
    while (this.#collected.length > 0) {
      const wait = this.#sender?.wait ?? 0;
      if (wait > 0) {
        if (Number.isFinite(wait)) {
          this.#flushTimer = setTimeout(() => this.flush(), wait);
        }
        return;
      }
      this.#postBatch();
    }
  }

  /** Returns the weight of what is no `tell`, which was counted before. */
  #postBatch(): number {
    let count = 0;
    let weight = 0;
    let uncounted = 0;
    for (const queued of this.#collected) {
      weight += queued.weight;
      uncounted += queued.message.type === "tell" ? 0 : queued.weight;
      count++;
      if (count === MAX_MESSAGES || weight >= MAX_WEIGHT) {
        break;
      }
    }
    const messages = this.#collected.splice(0, count).map(({ message }) => message);
    this.#collectedWeight -= weight;
    this.#flushedAt = performance.now();
    this.#sender?.sent(weight);
    this.#post({ messages, weight }, messages.flatMap(buffersIn));
    return uncounted;
  }

  /**
   * Takes what the other side has posted: at once, or in later tasks if it takes long.
   *
   * @param since when the batch began to be read
   */
  receive(batch: Batch, since = performance.now()): void {
    this.#inbox.receive(batch, since);
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
    this.#inbox.close();
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
      case "acknowledge":
        this.#sender?.acknowledged(message.weight, message.milliseconds);
        this.flush();
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
      if (thrown instanceof TooLarge) {
        throw new LuauError(`${what} is too large: ${thrown.message}`, { kind: "runtime", cause: thrown });
      }
      throw new LuauError(`${what} cannot be a Luau value: ${messageOf(thrown)}`, {
        kind: "runtime",
        cause: thrown,
      });
    }
  }

  #send(message: Message): void {
    if (this.#ended === undefined) {
      this.#collect(message);
      this.flush();
    }
  }

  /** Returns the weight of the message. */
  #collect(message: Message, extra = 0): number {
    const weight = weightOf(message, extra);
    this.#collected.push({ message, weight });
    this.#collectedWeight += weight;
    return weight;
  }

  #flushSoon(): void {
    this.#flushTimer ??= setTimeout(() => this.flush(), 0);
  }
}
