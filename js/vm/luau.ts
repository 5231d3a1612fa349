/// <reference lib="esnext.disposable" preserve="true" />

import type { Vm } from "../glue.js";
import { runOf, sourceOf, textOf } from "./arguments.js";
import { callPromise, rejectCallPromise } from "./call-promise.js";
import { checkOptions } from "./check.js";
import { makeDisposable } from "./disposable.js";
import { LuauError, readError } from "./errors.js";
import { enterInstance, type Instance } from "./instance.js";
import { compile, type ReadFile } from "./load.js";
import { pathsOf, resolverOf } from "./modules.js";
import type { LuauOptions, LuauStats, RunOptions, Sink, WasmSource } from "./options.js";
import { LuauSocket, Sockets, socketConstructor } from "./sockets.js";
import { turns } from "./turns.js";
import { LuauValue } from "./value.js";

/** The way an entry of this package finds and shares the WebAssembly module. */
export interface Platform {
  /** Returns the module to load without the option `wasm`. */
  readonly wasm: () => WasmSource | Promise<WasmSource>;
  /**
   * True if VMs must not share an instance or a loading module. In Cloudflare Workers one request cannot await a promise of another.
   */
  readonly isolated?: boolean;
  /** Reads a file by URL or path, for runtimes whose `fetch` reads no files. */
  readonly readFile?: ReadFile;
}

const CONSTRUCTOR_KEY = Symbol();

/** The class that `create` is called on: `Luau` of an entry, or a subclass. */
export type VmClass<T extends LuauVm> = new (token: unknown, instance: Instance, options: LuauOptions) => T;

/**
 * A Luau VM.
 *
 * Scripts run as its threads. Their globals are Luau's libraries, `task`, `websocket`, `json`, `require`, `print`, `warn`, and the host's
 * globals. Globals that a script sets are its own; see {@link LuauOptions.globalScope}. Every error of a script is a `LuauError`.
 *
 * A call needs 288 KiB of the JS stack. With less it throws a `RangeError` and does nothing.
 */
export class LuauVm {
  readonly #instance: Instance;
  readonly #vm: Vm;
  readonly #sockets = new Sockets();
  #lastRun = 0;

  /** Called by `create` alone, which has the token. */
  constructor(token: unknown, instance: Instance, options: LuauOptions) {
    if (token !== CONSTRUCTOR_KEY) {
      throw new TypeError("create VMs with `await Luau.create()`, which loads the module first");
    }
    this.#instance = instance;
    try {
      this.#vm = instance.call(() => new instance.Vm(vmOptions(instance, this.#sockets, options)));
    } catch (error) {
      instance.leave(error);
      throw error;
    }
  }

  /** Implements `create` for each entry. Returns an instance of `type`. */
  protected static async load<T extends LuauVm>(
    type: VmClass<T>,
    options: LuauOptions,
    platform: Platform,
  ): Promise<T> {
    checkOptions(options);
    const { wasm, onProgress } = options;
    const key = platform.isolated ? undefined : wasm === undefined ? platform : keyOf(wasm);
    const instance = await enterInstance(key, options.isolation ?? "instance", async () =>
      compile(wasm ?? (await platform.wasm()), onProgress, platform.readFile),
    );
    return new type(CONSTRUCTOR_KEY, instance, options);
  }

  /**
   * Runs a script as a new thread. The thread runs up to its first wait before this method returns, unless a script is calling the host, or
   * VMs have blocked the event loop for 100 ms. Any number of runs may be in progress.
   *
   * `T` is the types of the results, which are not checked: `run<[number, string]>("return 1, 'a'")`.
   *
   * @param source Luau source, as text or bytes. It may begin with a byte order mark and a line that begins with `#!`
   * @returns a promise for the values that the script returns. It is rejected with a {@link LuauError} if the script fails, or returns a
   * string that is not UTF-8.
   */
  run<T extends unknown[] = unknown[]>(source: string | Uint8Array, options: RunOptions = {}): Promise<T> {
    try {
      const run = runOf(source, options);
      const id = ++this.#lastRun;
      const start = () => this.#instance.call(() => this.#vm.run(run.source, run.chunkName, run.args, id));
      const results = run.signal === undefined ? start() : this.#abortable(start, run.signal, id);
      return results as Promise<T>;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async #abortable(start: () => Promise<unknown[]>, signal: AbortSignal, id: number): Promise<unknown[]> {
    if (signal.aborted) {
      throw new LuauError("the run was aborted before it began", {
        kind: "cancelled",
        cause: signal.reason,
      });
    }
    const abort = () => {
      try {
        this.#instance.call(() => this.#vm.cancel(id, signal.reason));
      } catch (error) {
        // There is nothing to cancel if the instance has ended or the VM is disposed. Near the end of the stack, try again.
        if (error instanceof RangeError) {
          queueMicrotask(abort);
        }
      }
    };
    // Listen before the start, because a host function that the script calls may abort the run.
    signal.addEventListener("abort", abort, { once: true });
    try {
      return await start();
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  /**
   * Compiles a script without running it.
   *
   * @throws TypeError if the source is neither text nor bytes
   * @returns null if the source compiles, otherwise the error. Its `errors` list all syntax errors, with their columns.
   */
  check(source: string | Uint8Array, chunkName?: string): LuauError | null {
    const [chunk, name] = [
      sourceOf(source),
      chunkName === undefined ? undefined : textOf(chunkName, "chunkName"),
    ];
    return this.#instance.call(() => this.#vm.check(chunk, name));
  }

  /**
   * Returns the value of a global variable, or undefined if there is none. These are the globals of the libraries and the host; with
   * `globalScope: "vm"` also those of scripts.
   */
  get(name: string): unknown {
    return this.#instance.call(() => this.#vm.get(textOf(name, "name")));
  }

  /**
   * Sets a global variable for all scripts, including running ones. Tables in the value are read-only for scripts, as in the option
   * `globals`. `undefined` removes the host's value. Tables for `_G` and `shared` fill those of runs that begin later.
   *
   * @throws LuauError if the value has no counterpart in Luau, such as a bigint of more than 64 bits, or if a getter throws
   */
  set(name: string, value: unknown): void {
    this.#instance.call(() => this.#vm.set(textOf(name, "name"), value));
  }

  /**
   * Returns a promise that is resolved when no thread, timer or socket is left. A thread in a bare `coroutine.yield()` does not count,
   * because only another thread can resume it.
   */
  idle(): Promise<void> {
    try {
      return this.#instance.call(() => this.#vm.idle());
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** The number of threads, timers and sockets, and the memory in use. */
  get stats(): LuauStats {
    return this.#instance.call(() => this.#vm.stats());
  }

  /** Returns a connection of a script, by the ID in its events; see {@link LuauOptions.onSocket}. */
  socket(id: number): LuauSocket {
    return new LuauSocket(id, this.#sockets);
  }

  /**
   * Cancels every thread and closes every socket. The promises of runs are rejected with errors of kind `cancelled`. The VM stays usable.
   */
  stop(): void {
    this.#instance.call(() => this.#vm.stop());
  }

  /**
   * Ends the VM and frees its memory. Sockets are closed, and the promises of runs are rejected with errors of kind `disposed`, as are all
   * later calls. Further calls of `dispose` do nothing.
   */
  dispose(): void {
    if (!this.#instance.hasEnded) {
      this.#instance.call(() => this.#vm.dispose());
    }
  }

  /** Keeps reactive libraries such as Vue from wrapping the object in a proxy, which has no private fields. */
  get [Symbol.toStringTag](): string {
    return "Luau";
  }

  declare [Symbol.dispose]: () => void;
}

makeDisposable(LuauVm);

/** Returns the key under which a loaded module is shared. Bytes have none because they may change, and a `Response` can be read only once. */
function keyOf(wasm: WasmSource): unknown {
  if (typeof wasm === "string" || wasm instanceof URL) {
    return String(wasm);
  }
  return wasm instanceof WebAssembly.Module ? wasm : undefined;
}

function vmOptions(
  instance: Instance,
  sockets: Sockets,
  options: LuauOptions,
): ConstructorParameters<Instance["Vm"]>[0] {
  const { globals, memoryLimit, timeLimit, sandbox, globalScope, optimize, websocket = {} } = options;
  const { maxConnections, maxQueueMessages, maxQueueBytes } = websocket;
  const onError = options.onError ?? ((error) => console.error(error));
  const report = (error: unknown) => {
    try {
      onError(error as LuauError);
    } catch (thrown) {
      console.error(error, thrown);
    }
  };
  return {
    print: sinkOf(options.print ?? console.log),
    warn: sinkOf(options.warn ?? console.warn),
    onError,
    globals,
    modules: resolverOf(options.modules),
    script: options.script,
    modulePaths: pathsOf(options.modules),
    memoryLimit,
    timeSlice: options.timeSlice ?? (typeof document === "undefined" ? undefined : 8),
    timeLimit,
    sandbox,
    globalScope,
    optimize,
    websocket: {
      WebSocket: socketConstructor(options, sockets, instance.sockets),
      maxConnections,
      maxQueueMessages,
      maxQueueBytes,
    },
    makeError: (message, members) => new LuauError(message, members),
    readError,
    makeFunction: (call) =>
      function luauFunction(...args) {
        try {
          return callPromise(instance.call(() => call(...args)));
        } catch (error) {
          const promise: Promise<never> = Promise.reject(error);
          try {
            rejectCallPromise(callPromise(promise), error, report);
          } catch {
            // The stack is exhausted. The caller still gets an ordinary promise.
          }
          return promise;
        }
      },
    makeValue: (handle, text) => new LuauValue(handle, text),
    turns,
    pending: instance.pending,
    onCallRejected: (promise, error) => rejectCallPromise(promise, error, report),
    onEnd: (reason) => instance.leave(reason),
  };
}

/** Adapts a sink: one with fewer than two declared parameters, such as `console.log`, gets only the text. */
function sinkOf(sink: Sink): (text: string, values?: () => unknown[]) => void {
  // The library's own warnings have no values.
  return sink.length < 2
    ? (text) => (sink as (text: string) => void)(text)
    : (text, values = () => [text]) => sink(text, values);
}
