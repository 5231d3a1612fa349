// A WebSocket without a connection, whose events come from the benchmark. It measures the script layer alone.

export class SyntheticSocket extends EventTarget {
  /** @type {SyntheticSocket[]} the sockets that were created but not taken yet */
  static made = [];

  binaryType = "blob";
  readyState = 0;
  protocol = "";
  bufferedAmount = 0;
  /** @type {((event: Event) => void) | null} */
  onopen = null;
  /** @type {((event: MessageEvent) => void) | null} */
  onmessage = null;
  /** @type {((event: CloseEvent) => void) | null} */
  onclose = null;
  /** @type {((event: Event) => void) | null} */
  onerror = null;

  constructor(/** @type {string} */ url) {
    super();
    this.url = url;
    SyntheticSocket.made.push(this);
  }

  open() {
    this.readyState = 1;
    this.onopen?.(new Event("open"));
  }

  /** Delivers `count` messages with this data, one event after the other. */
  receive(/** @type {string | ArrayBuffer} */ data, /** @type {number} */ count) {
    const event = new MessageEvent("message", { data });
    for (let number = 0; number < count; number++) {
      this.onmessage?.(event);
    }
  }

  send() {}

  close() {
    if (this.readyState < 3) {
      this.readyState = 3;
      const event = new CloseEvent("close", { code: 1000, wasClean: true });
      this.onclose?.(event);
      this.dispatchEvent(event);
    }
  }
}
