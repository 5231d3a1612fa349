/** The weight that may be sent before an acknowledgment arrives: the work of a few animation frames. */
const MAX_UNACKNOWLEDGED = 2 * 1_048_576;
/** The other side sends an acknowledgment at least once for this weight. */
export const ACKNOWLEDGED_WEIGHT = MAX_UNACKNOWLEDGED / 4;
/** It sends one earlier if the messages took this long to process. The sender then rests for the same time. */
export const ACKNOWLEDGED_MS = 4;

/**
 * Limits the messages in transit from a worker to its page. The page reports how long it took, and the worker waits as
 * long before it sends more. So a page that is slow, or busy with functions that scripts call, has half of its time for
 * other things.
 */
export class Sender {
  #unacknowledged = 0;
  #restsUntil = 0;

  /**
   * The time until the next message may be sent, in milliseconds: zero or less if it may be sent now, infinite until an
   * acknowledgment arrives.
   */
  get wait(): number {
    return this.#unacknowledged >= MAX_UNACKNOWLEDGED
      ? Number.POSITIVE_INFINITY
      : this.#restsUntil - performance.now();
  }

  sent(weight: number): void {
    this.#unacknowledged += weight;
  }

  acknowledged(weight: number, milliseconds: number): void {
    this.#unacknowledged -= weight;
    this.#restsUntil = milliseconds < ACKNOWLEDGED_MS ? 0 : performance.now() + milliseconds;
  }
}
