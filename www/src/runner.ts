import type { LuauError, SocketEvent } from "luau-websocket";
import { LuauWorker } from "luau-websocket/worker";
import type { Files } from "./project.js";
import type { Kind } from "./types.js";
import { valuesOf } from "./worker/excerpt.js";

/** The memory of a script: enough for any honest script, too little to harm the page. */
const MEMORY_LIMIT = 256 * 1024 * 1024;
/** The time a script computes before its worker sends the output and receives a request to stop, in milliseconds. */
const TIME_SLICE = 50;
/** The time a busy script has to react to a stop before its worker is terminated, in milliseconds. */
const PATIENCE = 200;
/** The time between two requests for the counts of live objects, in milliseconds. */
const ASK_EVERY = 500;

/** The state of a run. */
export type RunState = "starting" | "running" | "waiting" | "finished" | "failed" | "stopping" | "stopped";

/** The live objects of a script. */
export interface Alive {
  readonly threads: number;
  readonly timers: number;
  readonly sockets: number;
}

/** Callbacks for the events of a run. They are no longer called once another run has begun. */
export interface RunnerOptions {
  onOutput(kind: Kind, text: string, values?: readonly unknown[]): void;
  /** @param value the thrown value, if it can be expanded */
  onError(error: LuauError, value: unknown): void;
  onSocket(event: SocketEvent): void;
  /** Called when everything of the script is gone. */
  onEnd(reason: string): void;
  onState(state: RunState): void;
  /** Called when the worker could not be created. */
  onMissing(): void;
  /** Called with the live objects: undefined if there are none, "busy" if the script does not answer. */
  onAlive(alive: Alive | "busy" | undefined): void;
}

interface Run {
  readonly worker: Worker;
  luau: LuauWorker | undefined;
  timer: ReturnType<typeof setInterval> | undefined;
  /** True once only output is still reported. */
  isStopping: boolean;
}

/** Runs scripts one at a time, each in a worker of its own, so that no script can harm the page. */
export class Runner {
  readonly #options: RunnerOptions;
  readonly #module: WebAssembly.Module;
  #run: Run | undefined;

  constructor(module: WebAssembly.Module, options: RunnerOptions) {
    this.#module = module;
    this.#options = options;
  }

  /** Runs the first file. Ends the previous run. */
  async run([main, ...others]: Files): Promise<void> {
    this.#end("another run started");
    const options = this.#options;
    const run: Run = { worker: makeWorker(), luau: undefined, timer: undefined, isStopping: false };
    this.#run = run;
    const isCurrent = () => this.#run === run;
    /** Wraps a callback so that it does nothing once another run began. */
    const ifCurrent =
      <A extends unknown[]>(notify: (...args: A) => void) =>
      (...args: A) => {
        if (isCurrent()) {
          notify(...args);
        }
      };
    options.onState("starting");
    let end: "finished" | "failed" = "finished";
    try {
      const luau = await LuauWorker.create({
        worker: () => run.worker,
        wasm: this.#module,
        memoryLimit: MEMORY_LIMIT,
        timeSlice: TIME_SLICE,
        modules: Object.fromEntries(others.map(({ name, source }) => [name, source])),
        print: (text, values) => ifCurrent(options.onOutput)("print", text, valuesOf(values()[0])),
        warn: (text, values) => ifCurrent(options.onOutput)("warn", text, valuesOf(values()[0])),
        onError: ifCurrent((error) => this.#reportError(error)),
        onSocket: ifCurrent(options.onSocket),
      });
      if (!isCurrent()) {
        luau.terminate();
        return;
      }
      run.luau = luau;
      run.timer = setInterval(() => this.#ask(run), ASK_EVERY);
      options.onState("running");
      const [excerpt] = await luau.run(main.source, { chunkName: main.name });
      const results = valuesOf(excerpt);
      if (isCurrent() && results.length > 0) {
        options.onOutput("system", "returned", results);
      }
    } catch (error) {
      if (!isCurrent() || run.isStopping) {
        return;
      }
      end = "failed";
      this.#reportError(error as LuauError);
      if (run.luau === undefined) {
        options.onMissing();
      }
      if (run.luau === undefined || (error as LuauError).kind === "terminated") {
        this.#end("the worker failed");
        options.onState("failed");
        return;
      }
    }
    if (isCurrent()) {
      await this.#rest(run, end);
    }
  }

  /** Waits for the background work of a script that has finished. */
  async #rest(run: Run, end: "finished" | "failed"): Promise<void> {
    this.#options.onState("waiting");
    this.#ask(run);
    try {
      await run.luau?.idle();
    } catch {
      // The worker is gone, and whoever ended it has reported it.
    }
    if (this.#run === run && !run.isStopping) {
      this.#end("the script has ended");
      this.#options.onState(end);
    }
  }

  /** Stops the run gracefully, so that sockets are closed properly. A script that does not react is terminated. */
  async stop(): Promise<void> {
    const run = this.#run;
    if (run === undefined || run.isStopping) {
      return;
    }
    run.isStopping = true;
    this.#options.onState("stopping");
    const patience = new Promise((resolve) => setTimeout(resolve, PATIENCE));
    const stopped = run.luau?.stop().catch(() => {});
    await Promise.race([stopped ?? Promise.resolve(), patience]);
    if (this.#run === run) {
      this.#end("stopped");
      this.#options.onState("stopped");
    }
  }

  /** Sends a message over a connection of the script. */
  send(id: number, data: string | Uint8Array): void {
    // It may have been closed meanwhile.
    this.#run?.luau
      ?.socket(id)
      .send(data)
      .catch(() => {});
  }

  /** Closes a connection of the script. */
  close(id: number): void {
    // It may have been closed meanwhile.
    this.#run?.luau
      ?.socket(id)
      .close(1000, "closed in the playground")
      .catch(() => {});
  }

  #reportError(error: LuauError): void {
    const [value] = valuesOf(error.value);
    this.#options.onError(error, value);
  }

  #ask(run: Run): void {
    let isAnswered = false;
    const busy = setTimeout(() => {
      if (!isAnswered && this.#run === run) {
        this.#options.onAlive("busy");
      }
    }, ASK_EVERY);
    run.luau?.stats
      .then((stats) => {
        if (this.#run === run) {
          this.#options.onAlive(stats);
        }
      })
      .catch(() => {})
      .finally(() => {
        isAnswered = true;
        clearTimeout(busy);
      });
  }

  #end(reason: string): void {
    const run = this.#run;
    if (run === undefined) {
      return;
    }
    this.#run = undefined;
    clearInterval(run.timer);
    run.luau?.terminate();
    run.worker.terminate();
    this.#options.onAlive(undefined);
    this.#options.onEnd(reason);
  }
}

/** Creates the worker of a run. */
function makeWorker(): Worker {
  // Bundlers only recognize exactly this form.
  return new Worker(new URL("./worker/thread.ts", import.meta.url), { type: "module" });
}
