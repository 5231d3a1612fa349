/// <reference lib="esnext.disposable" preserve="true" />

import { runOf, sourceOf, textOf } from "./arguments.js";
import { callPromise, rejectCallPromise } from "./call-promise.js";
import { checkOptions } from "./check.js";
import { LuauError, readError } from "./errors.js";
import type { Vm } from "./glue.js";
import { enterInstance, type Instance } from "./instance.js";
import { compile, type ReadFile } from "./load.js";
import { pathsOf, resolverOf } from "./modules.js";
import type { LuauOptions, LuauStats, RunOptions, Sink, WasmSource } from "./options.js";
import { socketConstructor } from "./sockets.js";
import { turns } from "./turns.js";
import { LuauValue } from "./value.js";

/** How the entries of this package find the module, each in its own way. */
export interface Platform {
  /** What to load when no option says so. */
  readonly wasm: () => WasmSource | Promise<WasmSource>;
  /**
   * True where VMs must not share an instance or a module that is being loaded, because one request may not await another's promise.
   */
  readonly isolated?: boolean;
  /** Reads files, where `fetch` does not: by URL, or by a path. */
  readonly readFile?: ReadFile;
}

const isMine = Symbol();

/** `Luau` of an entry, or a subclass, as `create` gets it for `this`. */
export type VmClass<T extends LuauVm> = new (token: unknown, instance: Instance, options: LuauOptions) => T;

/**
 * A Luau VM.
 *
 * Scripts run as threads of it. They find `task`, `websocket`, `json`, `require`, `print` and `warn` beside Luau's own library, and what
 * the host gives them; the globals that they set are their own, see {@link LuauOptions.globalScope}. All errors of scripts are `LuauError`s.
 *
 * Calls need 288 KiB of the JS stack: near its end they fail with a `RangeError` before anything has happened.
 */
export class LuauVm {
  readonly #instance: Instance;
  readonly #vm: Vm;
  #lastRun = 0;

  /** To be made with `create`; the token keeps others from it. */
  constructor(token: unknown, instance: Instance, options: LuauOptions) {
    if (token !== isMine) {
      throw new TypeError("make VMs with `await Luau.create()`: the module has to be loaded first");
    }
    this.#instance = instance;
    try {
      this.#vm = instance.call(() => new instance.Vm(vmOptions(instance, options)));
    } catch (error) {
      instance.leave(error);
      throw error;
    }
  }

  /** Does what `create` of each entry does. Returns an instance of `type`. */
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
    return new type(isMine, instance, options);
  }

  /**
   * Runs a chunk as a thread: up to its first wait before this returns, unless a function that a script has called calls it, or VMs have
   * kept the event loop for 100 ms. May be called while other runs are under way.
   *
   * `T` is the types of the results, which nothing checks: `run<[number, string]>("return 1, 'a'")`.
   *
   * @param source Luau source, as text or bytes. It may begin with a byte order mark and a line that begins with `#!`
   * @returns a promise of what the chunk returns. It is rejected with a {@link LuauError}, also if the chunk returns a string that is not
   * UTF-8.
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
        // After an end of the instance, or a `dispose`, there is nothing left to cancel.
        if (error instanceof RangeError) {
          queueMicrotask(abort);
        }
      }
    };
    // Before it starts: a function that the script calls may abort it.
    signal.addEventListener("abort", abort, { once: true });
    try {
      return await start();
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  /**
   * Compiles a chunk without running it.
   *
   * @throws TypeError when the source is neither text nor bytes
   * @returns the error, or null if it is a Luau program. Its `errors` are all that Luau found, with their columns.
   */
  check(source: string | Uint8Array, chunkName?: string): LuauError | null {
    const [chunk, name] = [
      sourceOf(source),
      chunkName === undefined ? undefined : textOf(chunkName, "chunkName"),
    ];
    return this.#instance.call(() => this.#vm.check(chunk, name));
  }

  /**
   * Returns the value of a global of the libraries or the host, or with `globalScope: "vm"` of the scripts; undefined if there is none of
   * that name.
   */
  get(name: string): unknown {
    return this.#instance.call(() => this.#vm.get(textOf(name, "name")));
  }

  /**
   * Sets a global for all scripts, also for those that run. Tables in it are read-only for them, as in the option `globals`.
   * `undefined` takes back what the host has set under that name. Tables for `_G` and `shared` fill those of runs that begin later.
   *
   * @throws LuauError when the value cannot be a Luau value: a bigint of more than 64 bits, a getter that throws
   */
  set(name: string, value: unknown): void {
    this.#instance.call(() => this.#vm.set(textOf(name, "name"), value));
  }

  /**
   * A promise that is resolved when no thread, timer or socket is left. A thread in a bare `coroutine.yield()` does not count: nothing
   * resumes it by itself.
   */
  idle(): Promise<void> {
    try {
      return this.#instance.call(() => this.#vm.idle());
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** What is under way now. */
  get stats(): LuauStats {
    return this.#instance.call(() => this.#vm.stats());
  }

  /**
   * Cancels every thread and closes every socket: the promises of runs are rejected with errors of kind `cancelled`. The VM can
   * run scripts again.
   */
  stop(): void {
    this.#instance.call(() => this.#vm.stop());
  }

  /**
   * Ends the VM: what still runs is rejected with errors of kind `disposed`, sockets are closed, memory is given back. Afterwards
   * every call is answered with such an error. Doing so again does nothing.
   */
  dispose(): void {
    if (!this.#instance.hasEnded) {
      this.#instance.call(() => this.#vm.dispose());
    }
  }

  /** Tells reactive libraries such as Vue that this is no plain object, so that they leave it alone: a proxy has no private fields. */
  get [Symbol.toStringTag](): string {
    return "Luau";
  }

  declare [Symbol.dispose]: () => void;
}

// Not in the class: where there is no such symbol yet, it would be a method called "undefined".
if (Symbol.dispose !== undefined) {
  Object.defineProperty(LuauVm.prototype, Symbol.dispose, {
    value: LuauVm.prototype.dispose,
    writable: true,
    configurable: true,
  });
}

/** What tells the sources of modules apart: bytes may change, and a response is good only once. */
function keyOf(wasm: WasmSource): unknown {
  if (typeof wasm === "string" || wasm instanceof URL) {
    return String(wasm);
  }
  return wasm instanceof WebAssembly.Module ? wasm : undefined;
}

function vmOptions(instance: Instance, options: LuauOptions): ConstructorParameters<Instance["Vm"]>[0] {
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
      WebSocket: socketConstructor(options, instance.sockets),
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
            // The stack ends here. The caller gets a promise like any other.
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

/** A sink that takes one argument, or any number of them as `console.log` does, gets the text alone. */
function sinkOf(sink: Sink): (text: string, values?: () => unknown[]) => void {
  // What the library itself warns of has no values.
  return sink.length < 2
    ? (text) => (sink as (text: string) => void)(text)
    : (text, values = () => [text]) => sink(text, values);
}
