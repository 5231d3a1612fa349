import { ACKNOWLEDGED_MS, ACKNOWLEDGED_WEIGHT } from "./flow.js";
import type { Batch, Message, Queued } from "./messages.js";

/** The time that messages are processed before the event loop gets control, in milliseconds: half an animation frame. */
const SLICE_MS = 8;
/** The number of messages after which queued microtasks, such as answers to calls, run and are timed. */
const MAX_UNTIMED = 128;
/** A pause of this length shows that the event loop had control. */
const PAUSE_MS = 1;

/**
 * The messages that have arrived and are not processed yet. They are processed in order, and the event loop gets
 * control in between.
 */
export class Inbox {
  readonly #take: (message: Message) => void;
  readonly #acknowledge: (message: Message) => void;
  #arrived: Queued[] = [];
  #isTaking = false;
  #isClosed = false;
  /** The processing time since the event loop last had control, and the end of the last processing. */
  #takenMs = 0;
  #takenUntil = 0;
  /** The weight and the processing time that are not acknowledged yet. */
  #weight = 0;
  #milliseconds = 0;

  /**
   * @param take processes a message
   * @param acknowledge sends an acknowledgment, which the other side waits for
   */
  constructor(take: (message: Message) => void, acknowledge: (message: Message) => void) {
    this.#take = take;
    this.#acknowledge = acknowledge;
  }

  /** Processes a batch: at once, or in later tasks if it takes long. */
  receive({ messages, weight }: Batch, since: number): void {
    if (this.#isClosed) {
      return;
    }
    const last = messages.length - 1;
    for (const [index, message] of messages.entries()) {
      // The weight counts as processed together with the last message.
      this.#arrived.push({ message, weight: index === last ? weight : 0 });
    }
    if (!this.#isTaking) {
      // Tasks without a pause in between leave the event loop no time.
      this.#takenMs = since - this.#takenUntil < PAUSE_MS ? this.#takenMs : 0;
      this.#takeArrived(since);
    }
  }

  /** Stops processing. May be called while a message is processed. */
  close(): void {
    this.#isClosed = true;
    this.#arrived.length = 0;
  }

  #takeArrived(since: number): void {
    this.#isTaking = true;
    let count = 0;
    try {
      for (const { message, weight } of this.#arrived) {
        count++;
        this.#weight += weight;
        this.#take(message);
        if (count === MAX_UNTIMED || this.#takenMs + performance.now() - since >= SLICE_MS) {
          break;
        }
      }
    } finally {
      this.#arrived.splice(0, count);
      queueMicrotask(() => this.#goOn(since));
    }
  }

  /** Acknowledges what was processed, and continues now or later. */
  #goOn(since: number): void {
    this.#takenUntil = performance.now();
    this.#takenMs += this.#takenUntil - since;
    this.#milliseconds += this.#takenUntil - since;
    const [weight, milliseconds] = [this.#weight, this.#milliseconds];
    if (weight >= ACKNOWLEDGED_WEIGHT || (weight > 0 && milliseconds >= ACKNOWLEDGED_MS)) {
      this.#weight = 0;
      this.#milliseconds = 0;
      this.#acknowledge({ type: "acknowledge", weight, milliseconds });
    }
    if (this.#takenMs >= SLICE_MS) {
      afterOthers(() => {
        this.#takenMs = 0;
        this.#takeArrived(performance.now());
      });
    } else if (this.#arrived.length > 0) {
      this.#takeArrived(this.#takenUntil);
    } else {
      this.#isTaking = false;
    }
  }
}

/** Calls a function in a later task. In a visible page, due timers, events and animation frames come first. */
function afterOthers(call: () => void): void {
  if (globalThis.document?.visibilityState === "visible") {
    setTimeout(call, 0);
    return;
  }
  // Browsers delay the timers of hidden pages by a second or more.
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    call();
  };
  port2.postMessage(undefined);
}
