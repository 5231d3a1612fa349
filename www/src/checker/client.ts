import type { Diagnostic, Place } from "../types.js";

/**
 * How checking stands. After a failure it begins `again`, with the same files; after another one it is `off` until the next check is
 * asked for; and after a third it is `over`.
 */
export type CheckerState = "loading" | "on" | "again" | "off" | "over";

/** Sources by the names of their files. */
type Files = Readonly<Record<string, string>>;
/** What is wrong, by the names of the files. */
type Found = Readonly<Record<string, readonly Diagnostic[]>>;

/** What a page asks of the worker. */
export type Question =
  | { readonly type: "check"; readonly id: number; readonly files: Files }
  | { readonly type: "typeAt"; readonly id: number; readonly place: Place };

/** What the worker answers, by the number of the question; number 0 says that it is loaded. */
export interface Answer {
  readonly id: number;
  readonly value: unknown;
}

/** How long an answer may take before the worker is taken for lost, in milliseconds. */
const PATIENCE = 10_000;
/** The same for the first one, for which the worker has to be loaded. */
const PATIENCE_TO_LOAD = 60_000;
/** What there is after so many failures one after the other. */
const AFTER_FAILURES = ["again", "off", "over"] as const;

interface Check {
  readonly files: Files;
  resolve(found: Found | undefined): void;
}

/**
 * Checks types, in a worker that is started with the first check. The checker is a port that is not finished: if it ends, hangs or
 * cannot be loaded, it begins with a fresh one, and nothing else of the page is touched.
 */
export class Checker {
  readonly #onState: (state: CheckerState, reason?: string) => void;
  #worker: Worker | undefined;
  #failures = 0;
  #isOver = false;
  #lastId = 0;
  #isLoaded = false;
  /** Whether it was told that types are checked. */
  #isOn = false;
  /** The one question that is under way. */
  #asked: { readonly id: number; settle(value: unknown): void } | undefined;
  /** The check that was asked for last. */
  #newest: Check | undefined;
  /** The newest check, while another question is under way. */
  #waiting: Check | undefined;
  /** The one that failed, and is asked for once more. */
  #again: Check | undefined;

  constructor(options: { onState(state: CheckerState, reason?: string): void }) {
    this.#onState = options.onState;
  }

  /**
   * Checks all files, by their names.
   *
   * @returns what is wrong in each; undefined when a newer check has taken the place of this one, or there is no checking
   */
  check(files: Files): Promise<Found | undefined> {
    return new Promise((resolve) => {
      this.#waiting?.resolve(undefined);
      this.#waiting = this.#newest = { files, resolve };
      this.#checkNext();
    });
  }

  /** The type of what stands at a place; undefined where it is not known, or a check is under way. */
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
    if (this.#isOver) {
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
    const state = AFTER_FAILURES[this.#failures] ?? "over";
    this.#failures++;
    this.#isOver = state === "over";
    this.#isOn = false;
    if (state === "again" && this.#waiting === undefined) {
      this.#again = this.#waiting = this.#newest;
    }
    this.#onState(state, reason);
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#asked?.settle(undefined);
  }

  /** Begins anew after failures, as when there is a network again, or another script. */
  revive(): void {
    this.#failures = 0;
    this.#isOver = false;
  }
}
