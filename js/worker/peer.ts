// The connection between a page and its worker: calls with results, and notifications without.

import { callPromise, rejectCallPromise } from "../vm/call-promise.js";
import { LuauError, messageOf } from "../vm/errors.js";
import { Codec } from "./codec.js";
import { TooLarge } from "./encoder.js";
import { Sender } from "./flow.js";
import { Inbox } from "./inbox.js";
import { type Batch, buffersIn, type Message, type Queued, type Target, weightOf } from "./messages.js";
import type { Packet } from "./packet.js";
import type { RateLimiter } from "./rate-limiter.js";

/** The message that a worker posts when its VM is disposed and it may be terminated. */
export const GONE = "gone";

/** A function that a side always offers. It receives the arguments and the details of the call. */
export type Method = (args: unknown[], call: CallDetails) => unknown;

/** The details of a call in addition to its arguments. */
export interface CallDetails {
  /** On the called side, a signal that is aborted together with the caller's. Absent for calls without an answer. */
  readonly signal?: AbortSignal | undefined;
  /** Data that crosses as it is and is not a Luau value, such as a `WebAssembly.Module`. */
  readonly raw?: unknown;
}

/** The options of a call. */
interface CallOptions extends CallDetails {
  /** The name of the arguments in the error if they cannot cross. */
  readonly what?: string | undefined;
}

interface Pending {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/**
 * Messages without an answer are sent at once, at up to one per millisecond, or this many after a pause. So the last
 * output of a script that then hangs is visible.
 */
const BURST = 256;
/** Beyond that, messages are collected until the next macrotask, but no longer than a frame of the page, in milliseconds. */
const PERIOD_MS = 16;
/** The limits of a batch: messages and approximate bytes. They also limit what is collected while nothing is acknowledged. */
const MAX_MESSAGES = 1_024;
const MAX_WEIGHT = 1_048_576;
/** One end of the connection between a page and its worker. Both ends are alike. */
export class Peer {
  readonly #post: (batch: Batch, transfer: ArrayBuffer[]) => void;
  readonly #methods: ReadonlyMap<string, Method>;
  readonly #codec: Codec;
  readonly #pending = new Map<number, Pending>();
  /** The other side's calls in progress on this side. */
  readonly #serving = new Map<number, AbortController>();
  #lastCall = 0;
  #collected: Queued[] = [];
  #collectedWeight = 0;
  #flushTimer: ReturnType<typeof setTimeout> | undefined;
  /** The number of messages that may still be sent at once; negative during a flood. */
  #allowance = BURST;
  #countedAt = 0;
  #flushedAt = 0;
  readonly #limiter: RateLimiter | undefined;
  /** Present on a side with a limit on messages in transit. */
  readonly #sender: Sender | undefined;
  readonly #inbox = new Inbox(
    (message) => this.#take(message),
    (acknowledgment) => this.#send(acknowledgment),
  );
  /** The error for calls once the other side is gone. */
  #ended: Error | undefined;

  /**
   * @param methods the methods by name. If there is an `onError`, it gets the errors of calls that nothing awaits.
   * @param isShown true if the other side shows details of this side's objects, see {@link Codec}
   * @param limiter slows this side down when it sends too much. It then also waits for acknowledgments
   */
  constructor(
    post: (batch: Batch, transfer: ArrayBuffer[]) => void,
    methods: Readonly<Record<string, Method>>,
    isShown: boolean,
    limiter?: RateLimiter,
  ) {
    this.#post = post;
    this.#limiter = limiter;
    this.#sender = limiter && new Sender();
    this.#methods = new Map(Object.entries(methods));
    this.#codec = new Codec({
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

  /** True once {@link end} was called. */
  get isEnded(): boolean {
    return this.#ended !== undefined;
  }

  /**
   * Calls a function of the other side. The promise is rejected with the exception that it throws, with a {@link
   * LuauError} if the arguments cannot cross, or with the error of {@link end}.
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
      const packet = this.#encode(what, args);
      // A getter among the arguments may have ended this side.
      if (this.#ended !== undefined) {
        throw this.#ended;
      }
      const id = ++this.#lastCall;
      const abort = () => this.#send({ type: "abort", id, reason: this.#codec.encodeThrown(signal?.reason) });
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
      // A getter among the arguments may have aborted the call.
      if (signal?.aborted) {
        abort();
      }
    });
  }

  #callFunction(id: number, args: unknown[]): Promise<unknown> {
    const promise = this.call(id, args) as Promise<unknown[]>;
    promise.catch((error) =>
      rejectCallPromise(promise, error, () => this.#handleNotification("onError", [error])),
    );
    return callPromise(promise);
  }

  /**
   * Calls a method of the other side without waiting for an answer. It may be sent a little later, but before any later
   * message.
   *
   * @param extra the cost in addition to the arguments, in bytes
   */
  notify(target: string, args: readonly unknown[], extra = 0): void {
    if (this.#ended === undefined) {
      this.#sendNotification(target, this.#encode("a value", args), extra);
    }
  }

  /** Sends an error like {@link notify}. If it cannot cross as a whole, only its text does. */
  notifyError(target: string, error: unknown, extra: number): void {
    if (this.#ended === undefined) {
      this.#sendNotification(target, this.#codec.encodeThrown(error), extra);
    }
  }

  #sendNotification(target: string, args: Packet, extra: number): void {
    const weight = this.#collect({ type: "notify", target, args }, extra);
    const milliseconds = this.#limiter?.count(weight) ?? 0;
    // Always called, because it counts the message.
    const isDue = this.#isDue();
    if (milliseconds > 0 || this.#collected.length >= MAX_MESSAGES || this.#collectedWeight >= MAX_WEIGHT) {
      // A script that never waits keeps acknowledgments from arriving, so the clock slows it down instead.
      const uncounted = this.#postBatch();
      this.#limiter?.hold(Math.max(milliseconds, this.#limiter.count(uncounted)));
    } else if (isDue) {
      this.flush();
    } else {
      this.#flushSoon();
    }
  }

  /** Counts a message and returns true if it should be sent at once. */
  #isDue(): boolean {
    const now = performance.now();
    const allowance = Math.min(BURST, this.#allowance + now - this.#countedAt) - 1;
    // Collected messages count as well, so a flood must pause for long before the next burst. On a busy machine the
    // worker has forced pauses, and the page needs less load then, not more.
    this.#allowance = Math.max(-BURST, allowance);
    this.#countedAt = now;
    return allowance >= 0 || now - this.#flushedAt >= PERIOD_MS;
  }

  /** Sends collected messages as far as the other side is ready, and the rest later. */
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

  /** Returns the weight of messages other than notifications, which were counted before. */
  #postBatch(): number {
    let count = 0;
    let weight = 0;
    let uncounted = 0;
    for (const queued of this.#collected) {
      weight += queued.weight;
      uncounted += queued.message.type === "notify" ? 0 : queued.weight;
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
   * Processes a batch of the other side: at once, or in later tasks if it takes long.
   *
   * @param since when reading the batch began
   */
  receive(batch: Batch, since = performance.now()): void {
    this.#inbox.receive(batch, since);
  }

  /**
   * Ends the connection, because the other side is gone or no longer wanted.
   *
   * @param pending the error for calls without an answer yet
   * @param later the error for later calls
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
    this.#codec.clear();
  }

  #take(message: Message): void {
    switch (message.type) {
      case "call":
        this.#serve(message.id, message.target, this.#codec.decode(message.args), message.raw);
        break;
      case "notify":
        this.#handleNotification(message.target, this.#codec.decode(message.args));
        break;
      case "abort":
        this.#serving.get(message.id)?.abort(this.#codec.decode(message.reason)[0]);
        break;
      case "result":
        this.#settle(message.id)?.resolve(this.#codec.decode(message.value)[0]);
        break;
      case "error":
        this.#settle(message.id)?.reject(this.#codec.decode(message.thrown)[0]);
        break;
      case "release":
        this.#codec.release(message.id, message.count);
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
      this.#send({ type: "result", id, value: this.#encode("what the function returned", [value]) });
    } catch (thrown) {
      // Also if the answer is too large to be sent.
      this.#send({ type: "error", id, thrown: this.#codec.encodeThrown(thrown) });
    } finally {
      this.#serving.delete(id);
    }
  }

  #invoke(id: number, target: Target, args: unknown[], raw: unknown): unknown {
    if (typeof target === "number") {
      // Called without a `this` that it could hold on to.
      return Reflect.apply(this.#codec.exported(target) as (...args: unknown[]) => unknown, undefined, args);
    }
    const controller = new AbortController();
    this.#serving.set(id, controller);
    return this.#methods.get(target)?.(args, { signal: controller.signal, raw });
  }

  #handleNotification(target: string, args: unknown[]): void {
    try {
      this.#methods.get(target)?.(args, {});
    } catch (error) {
      // The sender has moved on.
      console.error(error);
    }
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  #encode(what: string, values: readonly unknown[]): Packet {
    try {
      return this.#codec.encode(values);
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

  /** Queues a message and returns its weight. */
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
