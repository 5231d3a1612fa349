/**
 * The weight of the messages that a page can process per second without falling behind; see messages.ts for the
 * unit.
 */
const WEIGHT = 32 * 1_048_576;
/**
 * The burst that may be sent at once, in seconds' worth of messages. The page processes all of it before it answers
 * anything else.
 */
const BURST = 0.1;

/**
 * Slows down a worker that sends its page more than the page can process. Otherwise waiting messages would fill the
 * page's memory until it no longer responds. The script is slowed down as by a slow terminal, and nothing is lost.
 */
export class RateLimiter {
  /** The remaining burst, in seconds. */
  #credit = BURST;
  #since = performance.now();
  readonly #sleeper = sleeper();

  /**
   * Counts messages.
   *
   * @returns the time that the worker must pause, in milliseconds
   */
  count(weight: number): number {
    const now = performance.now();
    this.#credit = Math.min(BURST, this.#credit + (now - this.#since) / 1_000) - weight / WEIGHT;
    this.#since = now;
    // Shorter pauses would be less than the precision of a sleep.
    return this.#credit < -0.01 ? -this.#credit * 1_000 : 0;
  }

  /** Pauses the thread. */
  hold(milliseconds: number): void {
    if (this.#sleeper !== undefined) {
      Atomics.wait(this.#sleeper, 0, 0, milliseconds);
      return;
    }
    const until = performance.now() + milliseconds;
    while (performance.now() < until) {
      // Without shared memory there is no other way to wait.
    }
  }
}

/** Returns memory to sleep on. It is created through WebAssembly, because pages that are not isolated lack the constructor. */
function sleeper(): Int32Array | undefined {
  try {
    return new Int32Array(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer);
  } catch {
    return undefined;
  }
}
