// The entry for pages that run scripts in a worker, and stay responsive whatever those do.

/// <reference lib="esnext.disposable" preserve="true" />

import { runOf, sourceOf, textOf } from "./arguments.js";
import { describe } from "./check.js";
import { LuauError } from "./errors.js";
import type { LuauStats, RunOptions } from "./options.js";
import { pageMethods } from "./worker-methods.js";
import { type LuauWorkerOptions, postableWasm, settingsOf } from "./worker-options.js";
import { type Batch, GONE, Peer } from "./worker-peer.js";

export * from "./exports.js";
export type { LuauWorkerOptions } from "./worker-options.js";

/** How long a worker that is disposed has to close its sockets, in milliseconds. One that does not answer is ended then. */
const LAST_WORDS = 1_000;

const HOW_TO_START =
  "worker-thread.js of luau-websocket must be served as JavaScript from the page's own origin, with the files beside it, and a " +
  "Content Security Policy must allow it (worker-src); or give a function that makes the worker as the option worker";

const isMine = Symbol();

/**
 * A Luau VM in a worker of its own. Its members are those of `Luau`, and all of them are asynchronous.
 *
 * However long a script computes, the page stays responsive, and `terminate` ends it. What that costs: functions of the page make
 * the script that calls them wait, even those that return no promise, so they cannot be called where Luau cannot wait, such as in
 * a comparator of `table.sort`; values cross twice; and output comes a little later.
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
    worker.addEventListener("message", ({ data }: MessageEvent<Batch | typeof GONE>) => {
      if (data === GONE) {
        clearTimeout(this.#lastWords);
        worker.terminate();
      } else {
        this.#peer.receive(data);
      }
    });
  }

  /**
   * Starts a worker and makes a VM in it.
   *
   * @throws TypeError for a wrong option, or one that cannot cross into a worker; LuauError when a global cannot be converted or there
   * is not enough memory; Error when the worker cannot be started, its module cannot be loaded, or there are no Web Workers, as
   * in Node
   */
  static async create(options: LuauWorkerOptions = {}): Promise<LuauWorker> {
    const settings = settingsOf(options);
    const wasm = postableWasm(options.wasm);
    const luau = new LuauWorker(isMine, options);
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
   * @param source Luau source, as text or bytes
   * @returns a promise of what the chunk returns, after all that it put out was put out. It is rejected with a {@link LuauError}.
   */
  run(source: string | Uint8Array, options: RunOptions = {}): Promise<unknown[]> {
    try {
      const { source: chunk, chunkName, args, signal } = runOf(source, options);
      if (signal?.aborted) {
        const cause = signal.reason;
        throw new LuauError("the run was aborted before it began", { kind: "cancelled", cause });
      }
      return this.#peer.call("run", [chunk, chunkName, args], { signal }) as Promise<unknown[]>;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Compiles a chunk without running it.
   *
   * @returns a promise of the error, or of null if it is a Luau program
   */
  async check(source: string | Uint8Array, chunkName?: string): Promise<LuauError | null> {
    const name = chunkName === undefined ? undefined : textOf(chunkName, "chunkName");
    return this.#peer.call("check", [sourceOf(source), name]) as Promise<LuauError | null>;
  }

  /**
   * A promise of the value of a global; of undefined if there is none of that name. A table with a function `then` is taken for a
   * promise itself, as everywhere in JS.
   */
  async get(name: string): Promise<unknown> {
    return this.#peer.call("get", [textOf(name, "name")]);
  }

  /**
   * Sets a global. The promise is rejected with a {@link LuauError} when the value cannot be a Luau value: a bigint that is not safe,
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

function makeWorker(make: LuauWorkerOptions["worker"]): Worker {
  if (make !== undefined) {
    return checked(make());
  }
  if (globalThis.Worker === undefined) {
    throw new Error(
      "LuauWorker needs Web Workers, and there are none here. In Node, use `Luau` inside a worker of node:worker_threads instead",
    );
  }
  try {
    // In this very form bundlers find the file and copy it.
    return new Worker(new URL("./worker-thread.js", import.meta.url), { type: "module" });
  } catch (error) {
    throw new Error(`the worker could not be started: ${error}. ${HOW_TO_START}`, { cause: error });
  }
}
