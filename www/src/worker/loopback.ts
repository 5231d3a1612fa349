import { makeServices, type Service } from "../../services/services.js";
import { Queue } from "../queue.js";

/** The host of addresses that lead to the services in this worker. */
const HOST = "loopback";

/** The states of a socket (WebSockets, section 3.1). */
const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

/** A subprotocol is a token of HTTP (RFC 9110, section 5.6.2). */
const TOKEN = /^[!#$%&'*+\-.^_`|~\w]+$/;
/** More does not fit into a closing frame (RFC 6455, section 5.5). */
const LONGEST_REASON = 123;

type Handler<E extends Event> = ((event: E) => void) | null;

interface Events {
  open: Event;
  message: MessageEvent;
  error: Event;
  close: CloseEvent;
}

const services: ReadonlyMap<string, Service> = new Map(
  Object.entries(makeServices()).map(([path, { serve }]) => [path, serve]),
);

/** The address, if it is one of the services in this worker. */
export function loopbackUrl(address: string): URL | undefined {
  try {
    const url = new URL(address);
    return /^wss?:$/.test(url.protocol) && url.hostname === HOST ? url : undefined;
  } catch {
    return undefined;
  }
}

/**
 * A `WebSocket` to a service in this worker. It behaves as the standard says of those to a server, https://websockets.spec.whatwg.org,
 * and as fast as a network could at best: what is sent arrives in a task of its own, in order.
 */
export class LoopbackSocket extends EventTarget {
  readonly url: string;
  /** No service knows any subprotocol. */
  readonly protocol = "";
  readonly extensions = "";
  binaryType: BinaryType = "blob";
  readonly #origin: string;
  readonly #handlers = new Map<keyof Events, Handler<never>>();
  #readyState = CONNECTING;
  #bufferedAmount = 0;
  /** What the service wants to be told of. */
  #onMessage: ((data: string | Uint8Array) => void)[] = [];
  #onClose: (() => void)[] = [];

  /** @throws DOMException for what the standard does not allow */
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
      // Who asks for subprotocols and is given none has not connected.
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

  get onopen(): Handler<Event> {
    return this.#handler("open");
  }

  set onopen(handler: Handler<Event>) {
    this.#handle("open", handler);
  }

  get onmessage(): Handler<MessageEvent> {
    return this.#handler("message");
  }

  set onmessage(handler: Handler<MessageEvent>) {
    this.#handle("message", handler);
  }

  get onerror(): Handler<Event> {
    return this.#handler("error");
  }

  set onerror(handler: Handler<Event>) {
    this.#handle("error", handler);
  }

  get onclose(): Handler<CloseEvent> {
    return this.#handler("close");
  }

  set onclose(handler: Handler<CloseEvent>) {
    this.#handle("close", handler);
  }

  /** The VM sends no blobs, so there are none here. */
  send(data: string | ArrayBuffer | ArrayBufferView): void {
    if (this.#readyState === CONNECTING) {
      throw new DOMException("Still in CONNECTING state.", "InvalidStateError");
    }
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : bytesOf(data);
    this.#bufferedAmount += bytes.length;
    if (this.#readyState !== OPEN) {
      return;
    }
    // Decoded again, since what is no Unicode does not cross.
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
    if (new TextEncoder().encode(reason).length > LONGEST_REASON) {
      throw new DOMException(`The close reason is longer than ${LONGEST_REASON} bytes.`, "SyntaxError");
    }
    if (this.#readyState === CONNECTING) {
      this.#readyState = CLOSING;
    } else if (this.#readyState === OPEN) {
      this.#readyState = CLOSING;
      // After what was sent; the service answers the closing frame with the same one.
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
    // Of the service, which may close while messages are still under way.
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
    // What comes after the script has closed is not for it any more.
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
    // Both ends may have closed at the same time.
    if (this.#readyState !== CLOSED) {
      this.#readyState = CLOSED;
      this.dispatchEvent(new CloseEvent("close", event));
    }
  }

  /** The service has nothing to do with it any more. */
  #leave(): void {
    const listeners = this.#onClose;
    this.#onMessage = [];
    this.#onClose = [];
    for (const listener of listeners) {
      listener();
    }
  }

  #handler<E extends keyof Events>(type: E): Handler<Events[E]> {
    return (this.#handlers.get(type) as Handler<Events[E]> | undefined) ?? null;
  }

  /** Handlers are called in the place among the listeners where they were set first, as the standard of HTML has it. */
  #handle<E extends keyof Events>(type: E, handler: Handler<Events[E]>): void {
    const isThere = this.#handler(type) !== null;
    if (typeof handler !== "function") {
      this.#handlers.delete(type);
      this.removeEventListener(type, this.#call);
    } else {
      this.#handlers.set(type, handler as Handler<never>);
      if (!isThere) {
        this.addEventListener(type, this.#call);
      }
    }
  }

  readonly #call = (event: Event): void => {
    const handler = this.#handlers.get(event.type as keyof Events) as Handler<Event> | undefined;
    handler?.call(this, event);
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

/** Calls something in a task of its own, after those that were queued before. A timer would make it wait for milliseconds. */
function queueTask(task: () => void): void {
  tasks.push(task);
  door.postMessage(null);
}
