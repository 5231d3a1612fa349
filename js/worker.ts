// The entry for pages that run scripts in a worker, so that no script can block the page.

/// <reference lib="esnext.disposable" preserve="true" />

import { foreignAddress, requireAddress } from "./address.js";
import { runOf, sourceOf, textOf } from "./vm/arguments.js";
import { describe } from "./vm/check.js";
import { makeDisposable } from "./vm/disposable.js";
import { LuauError } from "./vm/errors.js";
import type { LuauStats, RunOptions } from "./vm/options.js";
import type { Batch } from "./worker/messages.js";
import { pageMethods } from "./worker/methods.js";
import { type LuauWorkerOptions, postableWasm, settingsOf } from "./worker/options.js";
import { GONE, Peer } from "./worker/peer.js";

export * from "./vm/exports.js";
export type { LuauWorkerOptions } from "./worker/options.js";

/** The time that a disposed worker has to close its sockets before it is terminated. */
const CLOSING_TIME_MS = 1_000;

const HOW_TO_START =
  "worker-thread.js of luau-websocket must be served as JavaScript with the files beside it, and a Content Security Policy must allow it " +
  "(worker-src; with blob: if it comes from another origin). With Vite 7 and older, and Astro 6 and older, which use it, add " +
  '"luau-websocket" to optimizeDeps.exclude; with other bundlers, pass a function that creates the worker as the option worker';

const CONSTRUCTOR_KEY = Symbol();

/** The class that `create` is called on: `LuauWorker`, or a subclass. */
type WorkerClass<T extends LuauWorker> = new (token: unknown, options: LuauWorkerOptions) => T;

/** A connection of a script in a worker, by which the host can send and close as the script does. */
export interface LuauWorkerSocket {
  /** Sends a message, text or bytes. The promise is rejected if the connection is not open. */
  send(data: string | Uint8Array): Promise<void>;
  /** Begins to close the connection; see `LuauSocket.close`. */
  close(code?: number, reason?: string): Promise<void>;
}

/**
 * A Luau VM in its own worker. It has the members of `Luau`, all of them asynchronous.
 *
 * The page stays responsive however long a script computes, and `terminate` ends any script. This has a price. A script waits for every host
 * function that it calls, even one that returns no promise, so it cannot call one where Luau cannot yield, such as in a comparator of
 * `table.sort`. Values are converted twice, and output arrives a little later. One call or result may have at most 200,000 tables, functions
 * and other objects, 1,000,000 elements, and 134,217,728 characters and bytes; more is an error.
 *
 * The worker lives until it is disposed or terminated. It is a module worker: Chrome 80, Firefox 114, Safari 15, Deno and Bun have those, and
 * bundlers convert it for older browsers.
 */
export class LuauWorker {
  readonly #worker: Worker;
  readonly #peer: Peer;
  /** Resolved when the worker listens. With some bundlers its script loads asynchronously, and earlier messages would be lost. */
  readonly #listens: Promise<void>;
  #isStarted = false;
  /** Terminates the worker some time after it was disposed. */
  #closing: ReturnType<typeof setTimeout> | undefined;

  /** Called by `create` alone, which has the token. */
  constructor(token: unknown, options: LuauWorkerOptions) {
    if (token !== CONSTRUCTOR_KEY) {
      throw new TypeError("create workers with `await LuauWorker.create()`, which starts them first");
    }
    const worker = makeWorker(options.worker);
    this.#worker = worker;
    let listens = () => {};
    this.#listens = new Promise((resolve, reject) => {
      listens = resolve;
      const fail = (reason: string | undefined) => reject(this.#fail(reason));
      worker.addEventListener("messageerror", () => fail("a message from it could not be read"));
      worker.addEventListener("error", (event) => {
        // The calls that it ends report it.
        event.preventDefault();
        fail(event.message);
      });
    });
    const post = (batch: Batch, transfer: ArrayBuffer[]) => worker.postMessage(batch, transfer);
    this.#peer = new Peer(post, pageMethods(options, listens), false);
    worker.addEventListener("message", (event: MessageEvent<Batch | typeof GONE>) => {
      // Some browsers decode a message only when `data` is read, which takes long for many values.
      const since = performance.now();
      const { data } = event;
      if (data === GONE) {
        clearTimeout(this.#closing);
        worker.terminate();
      } else {
        this.#peer.receive(data, since);
      }
    });
  }

  /**
   * Starts a worker with a VM. Called on a subclass, it creates an instance of that.
   *
   * @throws TypeError for a wrong option, or one that cannot be sent to a worker; LuauError if a global cannot be converted or there is not
   * enough memory; Error if the worker cannot be started, its module cannot be loaded, or there are no Web Workers, as in Node
   */
  static create<T extends LuauWorker>(this: WorkerClass<T>, options?: LuauWorkerOptions): Promise<T>;
  static create(this: void, options?: LuauWorkerOptions): Promise<LuauWorker>;
  static async create(this: unknown, options: LuauWorkerOptions = {}): Promise<LuauWorker> {
    const settings = settingsOf(options);
    const wasm = postableWasm(options.wasm);
    // biome-ignore lint/complexity/noThisInStatic: a subclass makes an instance of itself
    const type = (this as WorkerClass<LuauWorker> | undefined) ?? LuauWorker;
    const luau = new type(CONSTRUCTOR_KEY, options);
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
   * Runs a script as a new thread. Any number of runs may be in progress; they start in the order of the calls.
   *
   * `T` is the types of the results, which are not checked: `run<[number, string]>("return 1, 'a'")`.
   *
   * @param source Luau source, as text or bytes. It may begin with a byte order mark and a line that begins with `#!`
   * @returns a promise for the values that the script returns, settled after the script's output has arrived. It is rejected with a
   * {@link LuauError} if the script fails
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
   * Compiles a script without running it.
   *
   * @returns a promise for null if the source compiles, otherwise for the error. Its `errors` list all syntax errors, with their columns.
   */
  async check(source: string | Uint8Array, chunkName?: string): Promise<LuauError | null> {
    const name = chunkName === undefined ? undefined : textOf(chunkName, "chunkName");
    return this.#peer.call("check", [sourceOf(source), name]) as Promise<LuauError | null>;
  }

  /**
   * Returns a promise for the value of a global variable, or for undefined if there is none. These are the globals of the libraries and the
   * host; with `globalScope: "vm"` also those of scripts. As everywhere in JS, a table with a function `then` counts as a promise.
   */
  async get(name: string): Promise<unknown> {
    return this.#peer.call("get", [textOf(name, "name")]);
  }

  /**
   * Sets a global variable for all scripts, including running ones. The promise is rejected with a {@link LuauError} if the value has no
   * counterpart in Luau, such as a bigint of more than 64 bits, or if a getter throws.
   */
  async set(name: string, value: unknown): Promise<void> {
    const what = `global '${textOf(name, "name")}'`;
    return this.#peer.call("set", [name, value], { what }) as Promise<void>;
  }

  /**
   * Returns a promise that is resolved when no thread, timer or socket is left. A thread in a bare `coroutine.yield()` does not count,
   * because only another thread can resume it.
   */
  idle(): Promise<void> {
    return this.#peer.call("idle", []) as Promise<void>;
  }

  /** A promise for the number of threads, timers and sockets, and the memory in use. */
  get stats(): Promise<LuauStats> {
    return this.#peer.call("stats", []) as Promise<LuauStats>;
  }

  /** Returns a connection of a script, by the ID in its events; see {@link LuauWorkerOptions.onSocket}. */
  socket(id: number): LuauWorkerSocket {
    return {
      send: (data) => this.#peer.call("send", [id, data]) as Promise<void>,
      close: (code, reason) => this.#peer.call("close", [id, code, reason]) as Promise<void>,
    };
  }

  /**
   * Cancels every thread and closes every socket. The promises of runs are rejected with errors of kind `cancelled`. The VM stays usable.
   * A script that never waits is not reached unless there is a `timeSlice` or a `timeLimit`; see {@link terminate}.
   */
  stop(): Promise<void> {
    return this.#peer.call("stop", []) as Promise<void>;
  }

  /**
   * Ends the VM and its worker and frees their memory. Sockets are closed, output stops, and the promises of runs are rejected with errors of
   * kind `disposed`, as are all later calls. Further calls of `dispose` do nothing.
   */
  dispose(): void {
    if (this.#peer.isEnded) {
      return;
    }
    this.#peer.notify("dispose", []);
    this.#peer.flush();
    this.#peer.end(new LuauError("the VM is disposed", { kind: "disposed" }));
    this.#closing = setTimeout(() => this.#worker.terminate(), CLOSING_TIME_MS);
  }

  /**
   * Ends the worker at once, even while a script is in an endless loop or a long library call. The promises of runs are rejected with errors
   * of kind `cancelled`, and later calls with errors of kind `disposed`. Sockets are closed without a closing handshake. Further calls of
   * `terminate` do nothing.
   *
   * Deno 2 and Bun 1 cannot stop a thread in an endless WebAssembly loop: set a `timeSlice` or a `timeLimit` there.
   */
  terminate(): void {
    clearTimeout(this.#closing);
    this.#worker.terminate();
    this.#peer.end(
      new LuauError("the worker was terminated before this ended", { kind: "cancelled" }),
      new LuauError("the worker was terminated: create a new one", { kind: "disposed" }),
    );
  }

  /** Ends the worker after a failure, and returns the error for all calls. */
  #fail(reason: string | undefined): Error {
    const because = reason ? `: ${reason}` : "";
    const error = this.#isStarted
      ? new LuauError(`the worker failed, and its VM with it${because}. Create a new one`, {
          kind: "terminated",
        })
      : new Error(`the worker could not be started${because}. ${HOW_TO_START}`);
    this.#worker.terminate();
    this.#peer.end(error);
    return error;
  }

  /** Keeps reactive libraries such as Vue from wrapping the object in a proxy, which has no private fields. */
  get [Symbol.toStringTag](): string {
    return "LuauWorker";
  }

  declare [Symbol.dispose]: () => void;
}

makeDisposable(LuauWorker);

/** @throws TypeError if it is not a Web Worker; Node's `Worker` is not one */
function checked(worker: Partial<Worker> | null | undefined): Worker {
  const methods = ["postMessage", "addEventListener", "terminate"] as const;
  if (methods.some((name) => typeof worker?.[name] !== "function")) {
    throw new TypeError(`option worker: must return a Worker, but returned ${describe(worker)}`);
  }
  return worker as Worker;
}

/** Creates a worker that imports a script of another origin. Browsers refuse to start such a script itself. The origin must allow it (CORS). */
function importingWorker(address: string): Worker {
  const source = new Blob([`import ${JSON.stringify(address)};`], { type: "text/javascript" });
  const url = URL.createObjectURL(source);
  const worker = new Worker(url, { type: "module" });
  // The browser may read the URL after this returns.
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
    // Bundlers recognize this exact form, and copy the file.
    return new Worker(new URL("./worker-thread.js", import.meta.url), { type: "module" });
  } catch (error) {
    throw new Error(`the worker could not be started: ${error}. ${HOW_TO_START}`, { cause: error });
  }
}
