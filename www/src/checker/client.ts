import type { Diagnostic, Place } from "../types.js";

/** How checking stands. */
export type CheckerState = "off" | "loading" | "on" | "failed";

/** Sources by the names of their files. */
type Files = Readonly<Record<string, string>>;
/** What is wrong, by the names of the files. */
type Found = Readonly<Record<string, readonly Diagnostic[]>>;

/** What a page asks of the worker. */
export type Question =
  | { readonly type: "check"; readonly id: number; readonly files: Files }
  | { readonly type: "typeAt"; readonly id: number; readonly place: Place };

/** What the worker answers, by the number of the question. */
export interface Answer {
  readonly id: number;
  readonly value: unknown;
}

/** How long an answer may take before the worker is taken for lost, in milliseconds. */
const PATIENCE = 10_000;
/** The same for the first one, for which the worker has to be loaded. */
const PATIENCE_TO_LOAD = 60_000;
/** So many failures one after the other, and there is no checking any more. */
const MOST_FAILURES = 3;

/**
 * Checks types, in a worker that is started with the first check. The checker is a port that is not finished: if it ends, hangs or
 * cannot be loaded, the next check has a fresh one, and nothing else of the page is touched.
 */
export class Checker {
  readonly #onState: (state: CheckerState, detail?: string) => void;
  #worker: Worker | undefined;
  #failures = 0;
  #isOver = false;
  #lastId = 0;
  /** Whether the worker has answered before. */
  #isLoaded = false;
  /** The one question that is under way. */
  #asked: { readonly id: number; settle(value: unknown): void } | undefined;
  /** The newest check, while another question is under way. */
  #waiting: { readonly files: Files; resolve(found: Found | undefined): void } | undefined;

  constructor(options: { onState(state: CheckerState, detail?: string): void }) {
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
      this.#waiting = { files, resolve };
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

  /** Ends the worker; nothing is checked any more. */
  dispose(): void {
    this.#isOver = true;
    this.#end();
    this.#onState("off");
  }

  #checkNext(): void {
    const next = this.#waiting;
    if (next !== undefined && this.#asked === undefined) {
      this.#waiting = undefined;
      const question: Question = { type: "check", id: ++this.#lastId, files: next.files };
      void this.#ask(question).then((found) => next.resolve(found as Found | undefined));
    }
  }

  #ask(question: Question): Promise<unknown> {
    if (this.#isOver) {
      return Promise.resolve(undefined);
    }
    return new Promise((resolve) => {
      const worker = this.#worker ?? this.#start();
      const patience = setTimeout(
        () => this.#fail("it did not answer"),
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
    this.#onState("loading");
    const worker = new Worker(new URL("./checker-worker.ts", import.meta.url), { type: "module" });
    worker.addEventListener("message", ({ data }: MessageEvent<Answer>) => {
      if (data.id === this.#asked?.id) {
        this.#failures = 0;
        if (!this.#isLoaded) {
          this.#isLoaded = true;
          this.#onState("on");
        }
        this.#asked.settle(data.value);
      }
    });
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      if (worker === this.#worker) {
        this.#fail(event.message || "it could not be loaded");
      }
    });
    this.#worker = worker;
    this.#isLoaded = false;
    return worker;
  }

  #fail(reason: string): void {
    this.#failures++;
    this.#isOver = this.#failures >= MOST_FAILURES;
    if (this.#isOver) {
      this.#onState("failed", reason);
    } else {
      this.#onState("off");
    }
    this.#end();
  }

  /** Begins anew after it was given up, as when there is a network again. */
  revive(): void {
    this.#failures = 0;
    this.#isOver = false;
  }

  /** Ends the worker; a check that waits begins anew with another one. */
  #end(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#asked?.settle(undefined);
  }
}
