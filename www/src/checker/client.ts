import type { Diagnostic, Place } from "../types.js";

/** How checking stands. */
export type CheckerState = "off" | "loading" | "on" | "failed";

/** What a page asks of the worker. */
export type Question =
  | { readonly type: "check"; readonly id: number; readonly files: Readonly<Record<string, string>> }
  | { readonly type: "typeAt"; readonly id: number; readonly place: Place };

/** What the worker answers, by the number of the question. */
export interface Answer {
  readonly id: number;
  readonly value: unknown;
}

/** How long a check may take before its worker is taken for lost, in milliseconds; the first one with the time to load it. */
const PATIENCE = 10_000;
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
  /** The one question that is under way. */
  #asked: { readonly id: number; settle(value: unknown): void } | undefined;
  /** The newest check that waits for it. */
  #next: (() => void) | undefined;

  constructor(options: { onState(state: CheckerState, detail?: string): void }) {
    this.#onState = options.onState;
  }

  /**
   * Checks all files, by their names.
   *
   * @returns what is wrong in each; undefined when a newer check has taken the place of this one, or there is no checking
   */
  async check(
    files: Readonly<Record<string, string>>,
  ): Promise<Readonly<Record<string, readonly Diagnostic[]>> | undefined> {
    if (this.#asked !== undefined) {
      // A newer one sends this one away.
      this.#next?.();
      const isNewest = await new Promise<boolean>((resolve) => {
        this.#next = () => resolve(false);
        this.#asked = withEnd(this.#asked, () => resolve(true));
      });
      if (!isNewest) {
        return undefined;
      }
      this.#next = undefined;
    }
    const id = ++this.#lastId;
    const found = await this.#ask({ type: "check", id, files });
    return found as Readonly<Record<string, readonly Diagnostic[]>> | undefined;
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

  #ask(question: Question): Promise<unknown> {
    if (this.#isOver) {
      return Promise.resolve(undefined);
    }
    return new Promise((resolve) => {
      const patience = setTimeout(() => this.#fail("it did not answer"), PATIENCE);
      this.#asked = {
        id: question.id,
        settle: (value) => {
          clearTimeout(patience);
          this.#asked = undefined;
          resolve(value);
        },
      };
      this.#worker ??= this.#start();
      this.#worker.postMessage(question);
    });
  }

  #start(): Worker {
    this.#onState("loading");
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    worker.addEventListener("message", ({ data }: MessageEvent<Answer>) => {
      if (data.id === this.#asked?.id) {
        this.#failures = 0;
        this.#onState("on");
        this.#asked.settle(data.value);
      }
    });
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      if (worker === this.#worker) {
        this.#fail(event.message || "it could not be loaded");
      }
    });
    return worker;
  }

  #fail(reason: string): void {
    this.#failures++;
    this.#end();
    if (this.#failures >= MOST_FAILURES) {
      this.#isOver = true;
      this.#onState("failed", reason);
    } else {
      this.#onState("off");
    }
  }

  #end(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#asked?.settle(undefined);
  }
}

function withEnd(
  asked: { readonly id: number; settle(value: unknown): void } | undefined,
  ended: () => void,
): { readonly id: number; settle(value: unknown): void } | undefined {
  return (
    asked && {
      id: asked.id,
      settle(value) {
        asked.settle(value);
        ended();
      },
    }
  );
}
