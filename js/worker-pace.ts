/** The weight of the messages that a page can take in a second without falling behind; see worker-messages.ts for the unit. */
const WEIGHT = 32 * 1_048_576;
/** For so many seconds' worth may be told at once: the page takes it all before it answers anything else. */
const BURST = 0.1;

/**
 * Holds up a worker that tells its page more than the page can take: what waits to be taken would fill the memory of the page,
 * and in the end it would not answer any more. A script is held up as by a slow terminal, and nothing is lost.
 */
export class Pace {
  /** What may be told at once, in seconds. */
  #credit = BURST;
  #since = performance.now();
  readonly #sleeper = sleeper();

  /**
   * Counts messages.
   *
   * @returns for how many milliseconds the worker is to be held up
   */
  count(weight: number): number {
    const now = performance.now();
    this.#credit = Math.min(BURST, this.#credit + (now - this.#since) / 1_000) - weight / WEIGHT;
    this.#since = now;
    // Not for less than a sleep can be kept to.
    return this.#credit < -0.01 ? -this.#credit * 1_000 : 0;
  }

  /** Holds up the thread. */
  hold(milliseconds: number): void {
    if (this.#sleeper !== undefined) {
      Atomics.wait(this.#sleeper, 0, 0, milliseconds);
      return;
    }
    const until = performance.now() + milliseconds;
    while (performance.now() < until) {
      // There is no other way to wait where no memory can be shared.
    }
  }
}

/** Memory to sleep on. Made by way of WebAssembly, since pages that are not isolated have no constructor for it. */
function sleeper(): Int32Array | undefined {
  try {
    return new Int32Array(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer);
  } catch {
    return undefined;
  }
}
