// The entry for pages that run scripts in a worker, and stay responsive whatever those do.

/// <reference lib="esnext.disposable" preserve="true" />

import { foreignAddress, requireAddress } from "./address.js";
import { runOf, sourceOf, textOf } from "./arguments.js";
import { describe } from "./check.js";
import { LuauError } from "./errors.js";
import type { LuauStats, RunOptions } from "./options.js";
import type { Batch } from "./worker-messages.js";
import { pageMethods } from "./worker-methods.js";
import { type LuauWorkerOptions, postableWasm, settingsOf } from "./worker-options.js";
import { GONE, Peer } from "./worker-peer.js";

export * from "./exports.js";
export type { LuauWorkerOptions } from "./worker-options.js";

/** How long a worker that is disposed has to close its sockets, in milliseconds. One that does not answer is ended then. */
const LAST_WORDS = 1_000;

const HOW_TO_START =
  "worker-thread.js of luau-websocket must be served as JavaScript with the files beside it, and a Content Security Policy must allow it " +
  "(worker-src; with blob: if it comes from another origin). With Vite 7 and older, and Astro 6 and older, which have it inside, add " +
  '"luau-websocket" to optimizeDeps.exclude; elsewhere, give a function that makes the worker as the option worker';

const isMine = Symbol();

/** `LuauWorker`, or a subclass, as `create` gets it for `this`. */
type WorkerClass<T extends LuauWorker> = new (token: unknown, options: LuauWorkerOptions) => T;

/**
 * A Luau VM in a worker of its own. Its members are those of `Luau`, and all of them are asynchronous.
 *
 * However long a script computes, the page stays responsive, and `terminate` ends it. What that costs: functions of the page make
 * the script that calls them wait, even those that return no promise, so they cannot be called where Luau cannot wait, such as in
 * a comparator of `table.sort`; values cross twice; and output comes a little later. What crosses at once has at most 200,000 tables,
 * functions and other objects, 4,000,000 elements, and 134,217,728 characters and bytes; more is an error.
 *
 * A worker lives until it is disposed or terminated. It is a module: Chrome 80, Firefox 114, Safari 15, Deno and Bun have such
 * workers, and bundlers make others for older browsers.
 */
export class LuauWorker {
  readonly #worker: Worker;
  readonly #peer: Peer;
  /** Until the worker listens: what is posted before could be lost, where a bundler lets the script of the worker wait. */
  readonly #listens: Promise<void>;
  #isStarted = false;
  /** Ends the worker some time after it was disposed. */
  #lastWords: ReturnType<typeof setTimeout> | undefined;

  /** To be made with `create`; the token keeps others from it. */
  constructor(token: unknown, options: LuauWorkerOptions) {
    if (token !== isMine) {
      throw new TypeError("make workers with `await LuauWorker.create()`: it has to be started first");
    }
    const worker = makeWorker(options.worker);
    this.#worker = worker;
    let listens = () => {};
    this.#listens = new Promise((resolve, reject) => {
      listens = resolve;
      const fail = (reason: string | undefined) => reject(this.#fail(reason));
      worker.addEventListener("messageerror", () => fail("a message of it could not be read"));
      worker.addEventListener("error", (event) => {
        // It is told of by the calls that it ends.
        event.preventDefault();
        fail(event.message);
      });
    });
    const post = (batch: Batch, transfer: ArrayBuffer[]) => worker.postMessage(batch, transfer);
    this.#peer = new Peer(post, pageMethods(options, listens), false);
    worker.addEventListener("message", (event: MessageEvent<Batch | typeof GONE>) => {
      // Some browsers read a message only here, which takes long for many values.
      const since = performance.now();
      const { data } = event;
      if (data === GONE) {
        clearTimeout(this.#lastWords);
        worker.terminate();
      } else {
        this.#peer.receive(data, since);
      }
    });
  }

  /**
   * Starts a worker and makes a VM in it. A subclass makes an instance of itself.
   *
   * @throws TypeError for a wrong option, or one that cannot cross into a worker; LuauError when a global cannot be converted or there
   * is not enough memory; Error when the worker cannot be started, its module cannot be loaded, or there are no Web Workers, as
   * in Node
   */
  static create<T extends LuauWorker>(this: WorkerClass<T>, options?: LuauWorkerOptions): Promise<T>;
  static create(this: void, options?: LuauWorkerOptions): Promise<LuauWorker>;
  static async create(this: unknown, options: LuauWorkerOptions = {}): Promise<LuauWorker> {
    const settings = settingsOf(options);
    const wasm = postableWasm(options.wasm);
    // biome-ignore lint/complexity/noThisInStatic: a subclass makes an instance of itself
    const type = (this as WorkerClass<LuauWorker> | undefined) ?? LuauWorker;
    const luau = new type(isMine, options);
    try {
      await luau.#listens;
      await luau.#peer.call("create", [settings], { raw: wasm, what: "option globals" });
    } catch (error) {
      luau.terminate();
      throw error;
    }
    luau.#isStarted = true;
    return luau;
  }

  /**
   * Runs a chunk as a thread. May be called while other runs are under way; chunks begin in the order of the calls.
   *
   * `T` is the types of the results, which nothing checks: `run<[number, string]>("return 1, 'a'")`.
   *
   * @param source Luau source, as text or bytes. It may begin with a byte order mark and a line that begins with `#!`
   * @returns a promise of what the chunk returns, after all that it put out was put out. It is rejected with a {@link LuauError}.
   */
  run<T extends unknown[] = unknown[]>(source: string | Uint8Array, options: RunOptions = {}): Promise<T> {
    try {
      const { source: chunk, chunkName, args, signal } = runOf(source, options);
      if (signal?.aborted) {
        const cause = signal.reason;
        throw new LuauError("the run was aborted before it began", { kind: "cancelled", cause });
      }
      return this.#peer.call("run", [chunk, chunkName, args], { signal }) as Promise<T>;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Compiles a chunk without running it.
   *
   * @returns a promise of the error, or of null if it is a Luau program. Its `errors` are all that Luau found, with their columns.
   */
  async check(source: string | Uint8Array, chunkName?: string): Promise<LuauError | null> {
    const name = chunkName === undefined ? undefined : textOf(chunkName, "chunkName");
    return this.#peer.call("check", [sourceOf(source), name]) as Promise<LuauError | null>;
  }

  /**
   * Returns a promise of the value of a global of the libraries or the host, or with `globalScope: "vm"` of the scripts; of undefined if
   * there is none of that name. A table with a function `then` is taken for a
   * promise itself, as everywhere in JS.
   */
  async get(name: string): Promise<unknown> {
    return this.#peer.call("get", [textOf(name, "name")]);
  }

  /**
   * Sets a global for all scripts, also for those that run. The promise is rejected with a {@link LuauError} when the value cannot be a Luau value: a bigint of more than 64 bits,
   * a getter that throws.
   */
  async set(name: string, value: unknown): Promise<void> {
    const what = `global '${textOf(name, "name")}'`;
    return this.#peer.call("set", [name, value], { what }) as Promise<void>;
  }

  /**
   * A promise that is resolved when no thread, timer or socket is left. A thread in a bare `coroutine.yield()` does not count: nothing
   * resumes it by itself.
   */
  idle(): Promise<void> {
    return this.#peer.call("idle", []) as Promise<void>;
  }

  /** A promise of what is under way. */
  get stats(): Promise<LuauStats> {
    return this.#peer.call("stats", []) as Promise<LuauStats>;
  }

  /**
   * Cancels every thread and closes every socket: the promises of runs are rejected with errors of kind `cancelled`. The VM can
   * run scripts again. Does not get through to a script that never waits, unless there is a `timeSlice` or a `timeLimit`: see
   * {@link terminate}.
   */
  stop(): Promise<void> {
    return this.#peer.call("stop", []) as Promise<void>;
  }

  /**
   * Ends the VM and its worker: what still runs is rejected with errors of kind `disposed`, sockets are closed, memory is given
   * back, and nothing is put out any more. Afterwards every call is rejected with such an error. Doing so again does nothing.
   */
  dispose(): void {
    if (this.#peer.isEnded) {
      return;
    }
    this.#peer.tell("dispose", []);
    this.#peer.flush();
    this.#peer.end(new LuauError("the VM is disposed", { kind: "disposed" }));
    this.#lastWords = setTimeout(() => this.#worker.terminate(), LAST_WORDS);
  }

  /**
   * Ends the worker at once, also when a script never waits: in an endless loop, or in a call of the library that takes too long.
   * What still runs is rejected with errors of kind `cancelled`, later calls with errors of kind `disposed`; sockets are closed
   * without a word. To go on, make a new one. Doing so again does nothing.
   *
   * Deno 2 and Bun 1 do not stop a thread that is in an endless loop of WebAssembly: give a `timeSlice` or a `timeLimit` there.
   */
  terminate(): void {
    clearTimeout(this.#lastWords);
    this.#worker.terminate();
    this.#peer.end(
      new LuauError("the worker was terminated before this ended", { kind: "cancelled" }),
      new LuauError("the worker was terminated: make a new one", { kind: "disposed" }),
    );
  }

  /** The worker cannot be used any more. */
  #fail(reason: string | undefined): Error {
    const because = reason ? `: ${reason}` : "";
    const error = this.#isStarted
      ? new LuauError(`the worker failed, and its VM with it${because}. Make a new one`, {
          kind: "terminated",
        })
      : new Error(`the worker could not be started${because}. ${HOW_TO_START}`);
    this.#worker.terminate();
    this.#peer.end(error);
    return error;
  }

  /** Tells reactive libraries such as Vue that this is no plain object, so that they leave it alone: a proxy has no private fields. */
  get [Symbol.toStringTag](): string {
    return "LuauWorker";
  }

  declare [Symbol.dispose]: () => void;
}

// Not in the class: where there is no such symbol yet, it would be a method called "undefined".
if (Symbol.dispose !== undefined) {
  Object.defineProperty(LuauWorker.prototype, Symbol.dispose, {
    value: LuauWorker.prototype.dispose,
    writable: true,
    configurable: true,
  });
}

/** @throws TypeError when it is none: Node's, for one, is another thing */
function checked(worker: Partial<Worker> | null | undefined): Worker {
  const methods = ["postMessage", "addEventListener", "terminate"] as const;
  if (methods.some((name) => typeof worker?.[name] !== "function")) {
    throw new TypeError(`option worker: must return a Worker at once, and returned ${describe(worker)}`);
  }
  return worker as Worker;
}

/** Makes a worker that imports a script of another origin, of which browsers make none. That origin has to allow it (CORS). */
function importingWorker(address: string): Worker {
  const source = new Blob([`import ${JSON.stringify(address)};`], { type: "text/javascript" });
  const url = URL.createObjectURL(source);
  const worker = new Worker(url, { type: "module" });
  // The browser may read it later than this returns.
  const revoke = () => URL.revokeObjectURL(url);
  worker.addEventListener("message", revoke, { once: true });
  worker.addEventListener("error", revoke, { once: true });
  return worker;
}

function makeWorker(make: LuauWorkerOptions["worker"]): Worker {
  if (make !== undefined) {
    return checked(make());
  }
  if (globalThis.Worker === undefined) {
    throw new Error(
      "LuauWorker needs Web Workers, and there are none here. In Node, use `Luau` inside a worker of node:worker_threads instead",
    );
  }
  requireAddress(import.meta.url, "worker-thread.js");
  try {
    const foreign = foreignAddress(import.meta.url, "worker-thread.js");
    if (foreign !== undefined) {
      return importingWorker(foreign);
    }
    // In this very form bundlers find the file and copy it.
    return new Worker(new URL("./worker-thread.js", import.meta.url), { type: "module" });
  } catch (error) {
    throw new Error(`the worker could not be started: ${error}. ${HOW_TO_START}`, { cause: error });
  }
}
