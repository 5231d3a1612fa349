// A worker thread with hooks, for serve.test.mjs.

// @ts-expect-error: the path exists only on the server of the tests, so TypeScript cannot resolve it.
import { serve } from "/pkg/serve.js";

/** A socket that answers each message with its address. */
class Answering extends EventTarget {
  url;
  protocol = "";
  bufferedAmount = 0;
  binaryType = "blob";
  readyState = 0;
  /** @type {((event: Event) => void) | null} */ onopen = null;
  /** @type {((event: Event) => void) | null} */ onmessage = null;
  /** @type {((event: Event) => void) | null} */ onclose = null;
  /** @type {((event: Event) => void) | null} */ onerror = null;

  /** @param {string} url */
  constructor(url) {
    super();
    this.url = url;
    setTimeout(() => {
      this.readyState = 1;
      this.#fire(new Event("open"), this.onopen);
    }, 0);
  }

  send() {
    setTimeout(() => this.#fire(new MessageEvent("message", { data: this.url }), this.onmessage), 0);
  }

  /** @param {number} code @param {string} reason */
  close(code, reason) {
    this.readyState = 3;
    setTimeout(() => this.#fire(new CloseEvent("close", { code, reason, wasClean: true }), this.onclose), 0);
  }

  /** @param {Event} event @param {((event: Event) => void) | null} listener */
  #fire(event, listener) {
    this.dispatchEvent(event);
    listener?.call(this, event);
  }
}

serve({
  WebSocket: Answering,
  transformOutput: (/** @type {() => unknown[]} */ values, /** @type {string} */ kind) => [
    `${kind}: ${JSON.stringify(values())}`,
  ],
});
