import type { Diagnostic, Place } from "../types.js";

/**
 * The state of the checker. After the first failure it starts `again` with the same files; after the second it is `off`
 * until the next check is requested; after the third it is `over`.
 */
export type CheckerState = "loading" | "on" | "restarting" | "paused" | "disabled";

/** Sources by file name. */
type Files = Readonly<Record<string, string>>;
/** Diagnostics by file name. */
type Found = Readonly<Record<string, readonly Diagnostic[]>>;

/** A request from the page to the worker. */
export type Question =
  | { readonly type: "check"; readonly id: number; readonly files: Files }
  | { readonly type: "typeAt"; readonly id: number; readonly place: Place };

/** A reply of the worker, with the ID of its question. ID 0 reports that the checker is loaded. */
export interface Answer {
  readonly id: number;
  readonly value: unknown;
}

/** The longest wait for an answer before the worker counts as lost, in milliseconds. */
const PATIENCE = 10_000;
/** The longest wait for the first answer, which includes loading the worker. */
const PATIENCE_TO_LOAD = 60_000;
/** The states after one, two and three failures in a row. */
const AFTER_FAILURES = ["restarting", "paused", "disabled"] as const;

interface Check {
  readonly files: Files;
  resolve(found: Found | undefined): void;
}

/**
 * Checks types in a worker, which starts with the first check. The checker is an unfinished port: if it crashes, hangs
 * or cannot be loaded, a new worker replaces it, and the rest of the page is unaffected.
 */
export class Checker {
  readonly #onState: (state: CheckerState, reason?: string) => void;
  #worker: Worker | undefined;
  #failures = 0;
  #isDisabled = false;
  #lastId = 0;
  #isLoaded = false;
  /** True once `onState` was told that the checker is on. */
  #isOn = false;
  /** The only question in flight. */
  #asked: { readonly id: number; settle(value: unknown): void } | undefined;
  /** The most recently requested check. */
  #newest: Check | undefined;
  /** The newest check while another question is in flight. */
  #waiting: Check | undefined;
  /** The failed check that is being retried. */
  #again: Check | undefined;

  constructor(options: { onState(state: CheckerState, reason?: string): void }) {
    this.#onState = options.onState;
  }

  /**
   * Checks all files.
   *
   * @returns the diagnostics of each file; undefined if a newer check replaced this one, or the checker is not available
   */
  check(files: Files): Promise<Found | undefined> {
    return new Promise((resolve) => {
      this.#waiting?.resolve(undefined);
      this.#waiting = this.#newest = { files, resolve };
      this.#checkNext();
    });
  }

  /** Returns the type of the expression at a place; undefined if it is unknown or a check is in flight. */
  async typeAt(place: Place): Promise<string | undefined> {
    if (this.#worker === undefined || this.#asked !== undefined) {
      return undefined;
    }
    const id = ++this.#lastId;
    return (await this.#ask({ type: "typeAt", id, place })) as string | undefined;
  }

  #checkNext(): void {
    const next = this.#waiting;
    if (next !== undefined && this.#asked === undefined) {
      this.#waiting = undefined;
      const question: Question = { type: "check", id: ++this.#lastId, files: next.files };
      void this.#ask(question).then((found) => {
        if (found === undefined && next === this.#again) {
          this.#again = undefined;
        } else {
          next.resolve(found as Found | undefined);
        }
      });
    }
  }

  #ask(question: Question): Promise<unknown> {
    if (this.#isDisabled) {
      return Promise.resolve(undefined);
    }
    return new Promise((resolve) => {
      const worker = this.#worker ?? this.#start();
      const patience = setTimeout(
        () => this.#fail("the checker did not answer"),
        this.#isLoaded ? PATIENCE : PATIENCE_TO_LOAD,
      );
      this.#asked = {
        id: question.id,
        settle: (value) => {
          clearTimeout(patience);
          this.#asked = undefined;
          resolve(value);
          this.#checkNext();
        },
      };
      worker.postMessage(question);
    });
  }

  #start(): Worker {
    if (this.#failures === 0) {
      this.#onState("loading");
    }
    const worker = new Worker(new URL("./checker-worker.ts", import.meta.url), { type: "module" });
    worker.addEventListener("message", ({ data }: MessageEvent<Answer>) => {
      if (worker === this.#worker) {
        this.#isLoaded = true;
      }
      if (data.id === this.#asked?.id) {
        this.#failures = 0;
        if (!this.#isOn) {
          this.#isOn = true;
          this.#onState("on");
        }
        this.#asked.settle(data.value);
      }
    });
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      if (worker === this.#worker) {
        this.#fail(this.#isLoaded ? "the checker failed on this script" : "the checker could not be loaded");
      }
    });
    this.#worker = worker;
    this.#isLoaded = false;
    return worker;
  }

  #fail(reason: string): void {
    const state = AFTER_FAILURES[this.#failures] ?? "disabled";
    this.#failures++;
    this.#isDisabled = state === "disabled";
    this.#isOn = false;
    if (state === "restarting" && this.#waiting === undefined) {
      this.#again = this.#waiting = this.#newest;
    }
    this.#onState(state, reason);
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#asked?.settle(undefined);
  }

  /** Forgets earlier failures, for example when the network is back or the user opened another script. */
  resetFailures(): void {
    this.#failures = 0;
    this.#isDisabled = false;
  }
}
