import { createElement } from "../shell/elements.js";

/** The most new lines that are read aloud in a period. With more, screen readers would be busy for minutes. */
const MAX_LINES_PER_PERIOD = 20;
const PERIOD_MS = 2_000;
/** The time between two summaries, in milliseconds. */
const SUMMARY_EVERY_MS = 5_000;

/** Decides if screen readers should read new lines aloud, and sums up those that they skip. */
export class Reader {
  readonly summary = createElement("p", "visually-hidden");
  /** The number of lines at the last count, and the time of that count. */
  #seen = 0;
  #seenAt = 0;
  /** The backlog of lines that a screen reader has yet to read, at the highest speed allowed. */
  #behind = 0;
  /** The number of lines skipped since the last summary. */
  #unread = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    this.summary.role = "status";
  }

  /** Returns true if there are too many lines to read aloud. */
  get isFlooded(): boolean {
    return this.#behind > MAX_LINES_PER_PERIOD;
  }

  /** Updates the count of lines and returns true if it has grown. */
  count(lines: number): boolean {
    const now = performance.now();
    const added = lines - this.#seen;
    const readAloud = ((now - this.#seenAt) / PERIOD_MS) * MAX_LINES_PER_PERIOD;
    // The backlog is capped, so that one quiet period ends any flood.
    this.#behind = Math.min(2 * MAX_LINES_PER_PERIOD, Math.max(0, this.#behind - readAloud) + added);
    this.#seen = lines;
    this.#seenAt = now;
    if (this.isFlooded && added > 0) {
      this.#unread += added;
      this.#timer ??= setTimeout(() => this.#sumUp(), this.#unread === added ? PERIOD_MS : SUMMARY_EVERY_MS);
    }
    return added > 0;
  }

  /** Resets the counts after all lines were removed. */
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
