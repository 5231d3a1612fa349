import { makeServices, type Service } from "../../services/services.js";
import { Queue } from "../queue.js";

/** The host of addresses that lead to the services in this worker. */
const HOST = "loopback";

/** The states of a socket (WebSockets, section 3.1). */
const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

/** A subprotocol is an HTTP token (RFC 9110, section 5.6.2). */
const TOKEN = /^[!#$%&'*+\-.^_`|~\w]+$/;
/** The limit of a close frame (RFC 6455, section 5.5), in bytes. */
const MAX_REASON_BYTES = 123;

const services: ReadonlyMap<string, Service> = new Map(
  Object.entries(makeServices()).map(([path, { serve }]) => [path, serve]),
);

/** Returns the parsed address if it is one of a service in this worker. */
function loopbackUrl(address: string): URL | undefined {
  try {
    const url = new URL(address);
    return /^wss?:$/.test(url.protocol) && url.hostname === HOST ? url : undefined;
  } catch {
    return undefined;
  }
}

/**
 * A `WebSocket` to a service in this worker. It follows the standard, https://websockets.spec.whatwg.org, and is as
 * fast as an ideal network: each message arrives in a task of its own, in order.
 */
class LoopbackSocket extends EventTarget {
  readonly url: string;
  /** No service supports a subprotocol. */
  readonly protocol = "";
  readonly extensions = "";
  binaryType: BinaryType = "blob";
  readonly #origin: string;
  readonly #handlers = new Map<string, (event: Event) => void>();
  #readyState = CONNECTING;
  #bufferedAmount = 0;
  /** The listeners of the service. */
  #onMessage: ((data: string | Uint8Array) => void)[] = [];
  #onClose: (() => void)[] = [];

  /** @throws DOMException for arguments that the standard forbids */
  constructor(url: URL, protocols: string | readonly string[] = []) {
    super();
    const names = typeof protocols === "string" ? [protocols] : [...protocols];
    if (url.hash !== "" || url.href.endsWith("#")) {
      throw new DOMException("The URL contains a fragment identifier.", "SyntaxError");
    }
    const wrong = names.find((name, index) => !TOKEN.test(name) || names.indexOf(name) !== index);
    if (wrong !== undefined) {
      throw new DOMException(`The subprotocol '${wrong}' is invalid or duplicated.`, "SyntaxError");
    }
    this.url = url.href;
    this.#origin = url.origin;
    const service = services.get(url.pathname);
    queueTask(() => {
      // A client that requests subprotocols and is given none must fail the connection.
      if (service === undefined || names.length > 0) {
        this.#fail();
      } else {
        this.#open(service);
      }
    });
  }

  get readyState(): number {
    return this.#readyState;
  }

  get bufferedAmount(): number {
    return this.#bufferedAmount;
  }

  static {
    for (const type of ["open", "message", "error", "close"]) {
      Object.defineProperty(LoopbackSocket.prototype, `on${type}`, {
        configurable: true,
        enumerable: true,
        get(this: LoopbackSocket) {
          return this.#handlers.get(type) ?? null;
        },
        set(this: LoopbackSocket, handler: unknown) {
          this.#setHandler(type, handler);
        },
      });
    }
  }

  /** The VM sends no blobs, so they are not supported. */
  send(data: string | ArrayBuffer | ArrayBufferView): void {
    if (this.#readyState === CONNECTING) {
      throw new DOMException("Still in CONNECTING state.", "InvalidStateError");
    }
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : bytesOf(data);
    this.#bufferedAmount += bytes.length;
    if (this.#readyState !== OPEN) {
      return;
    }
    // Decoding again replaces lone surrogates, as on a network.
    const message =
      typeof data === "string" ? new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes) : bytes;
    queueTask(() => {
      this.#bufferedAmount -= bytes.length;
      for (const listener of this.#onMessage) {
        listener(message);
      }
    });
  }

  close(code?: number, reason = ""): void {
    if (code !== undefined && code !== 1000 && !(code >= 3000 && code <= 4999)) {
      throw new DOMException(
        `The close code must be 1000 or between 3000 and 4999: ${code}.`,
        "InvalidAccessError",
      );
    }
    if (new TextEncoder().encode(reason).length > MAX_REASON_BYTES) {
      throw new DOMException(`The close reason is longer than ${MAX_REASON_BYTES} bytes.`, "SyntaxError");
    }
    if (this.#readyState === CONNECTING) {
      this.#readyState = CLOSING;
    } else if (this.#readyState === OPEN) {
      this.#readyState = CLOSING;
      // Closes after everything sent. The service echoes the close frame.
      queueTask(() => {
        this.#leave();
        queueTask(() => this.#close({ code: code ?? 1005, reason, wasClean: true }));
      });
    }
  }

  #open(service: Service): void {
    if (this.#readyState !== CONNECTING) {
      this.#fail();
      return;
    }
    this.#readyState = OPEN;
    // The service's view: it may close while messages are still in transit.
    let isOpen = true;
    service({
      send: (data) => {
        if (isOpen) {
          const message = typeof data === "string" ? data : data.slice();
          queueTask(() => this.#receive(message));
        }
      },
      close: (code = 1000, reason = "") => {
        if (isOpen) {
          isOpen = false;
          queueTask(() => {
            if (this.#readyState === OPEN) {
              this.#readyState = CLOSING;
              queueTask(() => {
                this.#leave();
                this.#close({ code, reason, wasClean: true });
              });
            }
          });
        }
      },
      onMessage: (listener) => this.#onMessage.push(listener),
      onClose: (listener) =>
        this.#onClose.push(() => {
          isOpen = false;
          listener();
        }),
    });
    this.dispatchEvent(new Event("open"));
  }

  #receive(message: string | Uint8Array<ArrayBuffer>): void {
    // Messages that arrive after the script closed are dropped.
    if (this.#readyState !== OPEN) {
      return;
    }
    let data: string | ArrayBuffer | Blob;
    if (typeof message === "string") {
      data = message;
    } else {
      data = this.binaryType === "arraybuffer" ? message.buffer : new Blob([message]);
    }
    this.dispatchEvent(new MessageEvent("message", { data, origin: this.#origin }));
  }

  #fail(): void {
    this.#readyState = CLOSED;
    this.dispatchEvent(new Event("error"));
    this.dispatchEvent(new CloseEvent("close", { code: 1006, reason: "", wasClean: false }));
  }

  #close(event: CloseEventInit): void {
    // Both ends may close at the same time.
    if (this.#readyState !== CLOSED) {
      this.#readyState = CLOSED;
      this.dispatchEvent(new CloseEvent("close", event));
    }
  }

  /** Tells the service that the connection is closed. */
  #leave(): void {
    const listeners = this.#onClose;
    this.#onMessage = [];
    this.#onClose = [];
    for (const listener of listeners) {
      listener();
    }
  }

  /** Sets a handler. It keeps the position among the listeners where it was first set, as the HTML standard requires. */
  #setHandler(type: string, handler: unknown): void {
    if (typeof handler !== "function") {
      this.#handlers.delete(type);
      this.removeEventListener(type, this.#call);
    } else {
      // Adding a listener again changes nothing.
      this.addEventListener(type, this.#call);
      this.#handlers.set(type, handler as (event: Event) => void);
    }
  }

  readonly #call = (event: Event): void => {
    this.#handlers.get(event.type)?.call(this, event);
  };
}

function bytesOf(data: ArrayBuffer | ArrayBufferView): Uint8Array<ArrayBuffer> {
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice()
    : new Uint8Array(data).slice();
}

const tasks = new Queue<() => void>();
const { port1: bell, port2: door } = new MessageChannel();
bell.onmessage = () => tasks.shift()?.();

/** Runs a function in a task of its own, after those queued before. A timer would delay it by milliseconds. */
function queueTask(task: () => void): void {
  tasks.push(task);
  door.postMessage(null);
}

/** The constructor of the sockets of scripts: those of the browser, and those that lead to a service in this worker. */
export const PlaygroundSocket = new Proxy(globalThis.WebSocket, {
  construct(Real, [address, protocols = []]: [string, string[]?]) {
    const url = loopbackUrl(address);
    return url === undefined ? new Real(address, protocols) : new LoopbackSocket(url, protocols);
  },
});
