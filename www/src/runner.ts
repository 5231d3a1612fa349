import type { LuauError, SocketEvent } from "luau-websocket";
import { LuauWorker } from "luau-websocket/worker";
import type { Files } from "./project.js";
import type { Kind } from "./types.js";
import { valuesOf } from "./worker/excerpt.js";
import { makeWorker, type RunWorker } from "./worker/page.js";

/** What a script may have: enough for any that is meant well, and less than would harm the page. */
const MEMORY_LIMIT = 256 * 1024 * 1024;
/** How long a script computes until its worker sends what it put out, and hears that it is to stop, in milliseconds. */
const TIME_SLICE = 50;
/** How long a script that does not wait has to answer before its worker is ended, in milliseconds. */
const PATIENCE = 200;
/** How often it is asked what is alive, in milliseconds. */
const ASK_EVERY = 500;

/** How a run stands. */
export type RunState = "starting" | "running" | "waiting" | "finished" | "failed" | "stopping" | "stopped";

/** What a script has under way. */
export interface Alive {
  readonly threads: number;
  readonly timers: number;
  readonly sockets: number;
}

/** Told of what happens in a run; of nothing any more once another one has begun. */
export interface RunnerOptions {
  onOutput(kind: Kind, text: string, values?: readonly unknown[]): void;
  /** @param value what was thrown, as far as there is something to see inside of it */
  onError(error: LuauError, value: unknown): void;
  onSocket(event: SocketEvent): void;
  /** All that the script had is gone. */
  onEnd(reason: string): void;
  onState(state: RunState): void;
  /** The worker could not be made. */
  onMissing(): void;
  /** Undefined where nothing is alive, or "busy" where the script does not answer. */
  onAlive(alive: Alive | "busy" | undefined): void;
}

interface Run {
  readonly worker: RunWorker;
  luau: LuauWorker | undefined;
  timer: ReturnType<typeof setInterval> | undefined;
  /** Nothing of it is told any more but what it puts out. */
  isStopping: boolean;
}

/** Runs scripts, one at a time, each in a worker of its own: so nothing that a script does can hurt the page. */
export class Runner {
  readonly #options: RunnerOptions;
  readonly #module: WebAssembly.Module;
  #run: Run | undefined;

  constructor(module: WebAssembly.Module, options: RunnerOptions) {
    this.#module = module;
    this.#options = options;
  }

  /** Runs the first file, in the place of what ran before. */
  async run([main, ...others]: Files): Promise<void> {
    this.#end("another run began");
    const options = this.#options;
    const run: Run = { worker: makeWorker(), luau: undefined, timer: undefined, isStopping: false };
    this.#run = run;
    const isCurrent = () => this.#run === run;
    /** Does nothing once another run began. */
    const told =
      <A extends unknown[]>(tell: (...args: A) => void) =>
      (...args: A) => {
        if (isCurrent()) {
          tell(...args);
        }
      };
    options.onState("starting");
    let end: "finished" | "failed" = "finished";
    try {
      const luau = await LuauWorker.create({
        worker: () => run.worker.worker,
        wasm: this.#module,
        memoryLimit: MEMORY_LIMIT,
        timeSlice: TIME_SLICE,
        modules: Object.fromEntries(others.map(({ name, source }) => [name, source])),
        print: (text, values) => told(options.onOutput)("print", text, valuesOf(values())),
        warn: (text, values) => told(options.onOutput)("warn", text, valuesOf(values())),
        onError: told((error) => this.#tellError(error)),
        onSocket: told(options.onSocket),
      });
      if (!isCurrent()) {
        luau.terminate();
        return;
      }
      run.luau = luau;
      run.timer = setInterval(() => this.#ask(run), ASK_EVERY);
      options.onState("running");
      const results = valuesOf(await luau.run(main.source, { chunkName: main.name }));
      if (isCurrent() && results.length > 0) {
        options.onOutput("system", "returned", results);
      }
    } catch (error) {
      if (!isCurrent() || run.isStopping) {
        return;
      }
      end = "failed";
      this.#tellError(error as LuauError);
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

  /** The script has come to its end: what it began may go on. */
  async #rest(run: Run, end: "finished" | "failed"): Promise<void> {
    this.#options.onState("waiting");
    this.#ask(run);
    try {
      await run.luau?.idle();
    } catch {
      // The worker is gone, and whoever ended it has told so.
    }
    if (this.#run === run && !run.isStopping) {
      this.#end("the script has ended");
      this.#options.onState(end);
    }
  }

  /** Stops what runs: politely, so that the sockets are closed in the proper way; a script that does not listen is ended. */
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

  /** Sends by hand over a connection of the script. */
  send(id: number, data: string | Uint8Array): void {
    this.#run?.worker.send(id, data);
  }

  /** Closes a connection of the script by hand. */
  close(id: number): void {
    this.#run?.worker.close(id);
  }

  #tellError(error: LuauError): void {
    const [value] = Array.isArray(error.value) ? valuesOf(error.value) : [];
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
    run.worker.end();
    this.#options.onAlive(undefined);
    this.#options.onEnd(reason);
  }
}
