import { made } from "../shell/elements.js";

/** More new lines than so many in so many milliseconds are not read out: whoever listens would be told of them for minutes. */
const MOST = 20;
const PERIOD = 2_000;
/** How often it is said how many they are, in milliseconds. */
const SUM_UP_EVERY = 5_000;

/** Decides whether screen readers are to read out new lines, and sums up those that they do not. */
export class Reader {
  readonly summary = made("p", "visually-hidden");
  /** How many lines were there when this was looked at last, and when that was. */
  #seen = 0;
  #seenAt = 0;
  /** How many of them whoever listens has still to be told of, if a period is enough for the most. */
  #behind = 0;
  /** How many came since they are not read out. */
  #unread = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    this.summary.role = "status";
  }

  /** Whether there are too many to be read out. */
  get isFlooded(): boolean {
    return this.#behind > MOST;
  }

  /** Counts the lines that there were so far; returns whether there are more than before. */
  count(lines: number): boolean {
    const now = performance.now();
    const added = lines - this.#seen;
    const told = ((now - this.#seenAt) / PERIOD) * MOST;
    // Not more than twice as many, so that a period of rest is enough after any flood.
    this.#behind = Math.min(2 * MOST, Math.max(0, this.#behind - told) + added);
    this.#seen = lines;
    this.#seenAt = now;
    if (this.isFlooded && added > 0) {
      this.#unread += added;
      this.#timer ??= setTimeout(() => this.#sumUp(), this.#unread === added ? PERIOD : SUM_UP_EVERY);
    }
    return added > 0;
  }

  /** After all lines were removed. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#seen = 0;
    this.#behind = 0;
    this.#unread = 0;
    this.summary.textContent = "";
  }

  #sumUp(): void {
    this.#timer = undefined;
    this.summary.textContent = `${this.#unread.toLocaleString("en")} lines came too fast to be read out.`;
  }
}
