import { ACKNOWLEDGED_MS, ACKNOWLEDGED_WEIGHT } from "./worker-flow.js";
import type { Batch, Message, Queued } from "./worker-messages.js";

/** The time for which messages are taken before the event loop gets control, in milliseconds: half a frame. */
const SLICE_MS = 8;
/** The number of messages after which the microtasks that they queued run and are timed, such as answers to calls. */
const MAX_UNTIMED = 128;
/** The length of a pause that shows that the event loop had control. */
const PAUSE_MS = 1;

/** The messages that have come and are not taken yet. They are taken in order, and the event loop gets control in between. */
export class Inbox {
  readonly #take: (message: Message) => void;
  readonly #acknowledge: (message: Message) => void;
  #arrived: Queued[] = [];
  #isTaking = false;
  #isClosed = false;
  /** How long messages were taken since the event loop had control, and until when. */
  #takenMs = 0;
  #takenUntil = 0;
  /** The weight and time of the messages that are taken and not yet acknowledged. */
  #weight = 0;
  #milliseconds = 0;

  /**
   * @param take is given each message
   * @param acknowledge sends what the other side waits for
   */
  constructor(take: (message: Message) => void, acknowledge: (message: Message) => void) {
    this.#take = take;
    this.#acknowledge = acknowledge;
  }

  /** Takes the messages of a batch: at once, or in later tasks if it takes long. */
  receive({ messages, weight }: Batch, since: number): void {
    if (this.#isClosed) {
      return;
    }
    const last = messages.length - 1;
    for (const [index, message] of messages.entries()) {
      // The weight counts as taken once the last message is.
      this.#arrived.push({ message, weight: index === last ? weight : 0 });
    }
    if (!this.#isTaking) {
      // Tasks that come without a pause leave the event loop nothing.
      this.#takenMs = since - this.#takenUntil < PAUSE_MS ? this.#takenMs : 0;
      this.#takeArrived(since);
    }
  }

  /** Takes nothing any more. May be called while a message is taken. */
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

  /** Acknowledges what is taken, and takes more, now or later. */
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

/** Calls a function in a later task. In a page that is seen, timers, events and frames that are due come first. */
function afterOthers(call: () => void): void {
  if (globalThis.document?.visibilityState === "visible") {
    setTimeout(call, 0);
    return;
  }
  // Of pages that are not seen, browsers delay timers by a second and more.
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    call();
  };
  port2.postMessage(undefined);
}
