import type { WebSocketConstructor } from "../vm/options.js";
import { CLOSED, CLOSING, CONNECTING } from "../vm/sockets.js";

type Listener<E> = ((event: E) => void) | null;

/**
 * Returns a constructor of sockets that ask the page before they open. The VM needs a socket at once, and the page,
 * which knows if scripts may connect, answers later. Until then the socket is connecting. If the page refuses, it fails
 * like a socket that cannot connect.
 */
export function gatedWebSocket(
  isAllowed: (url: string) => Promise<boolean>,
  Real: WebSocketConstructor | undefined = globalThis.WebSocket,
): WebSocketConstructor {
  return class extends GatedSocket {
    constructor(url: string, protocols?: string[]) {
      if (Real === undefined) {
        throw new Error("this worker has no WebSocket");
      }
      super(url, protocols, isAllowed, Real);
    }
  };
}

/** The part of `WebSocket` that the VM and sockets.ts need. */
class GatedSocket extends EventTarget {
  onopen: Listener<Event> = null;
  onmessage: Listener<MessageEvent> = null;
  onclose: Listener<CloseEvent> = null;
  onerror: Listener<Event> = null;
  readonly #url: string;
  readonly #protocols: string[] | undefined;
  readonly #Real: WebSocketConstructor;
  #binaryType: BinaryType = "blob";
  /** The real socket, once it may be opened. */
  #socket: WebSocket | undefined;
  #readyState: number = CONNECTING;

  constructor(
    url: string,
    protocols: string[] | undefined,
    isAllowed: (url: string) => Promise<boolean>,
    Real: WebSocketConstructor,
  ) {
    super();
    this.#Real = Real;
    this.#url = normalizeUrl(url);
    this.#protocols = protocols;
    isAllowed(url).then(
      (isGranted) => this.#onAnswer(isGranted),
      // The page is gone.
      () => this.#fail(""),
    );
  }

  get url(): string {
    return this.#socket?.url ?? this.#url;
  }

  get protocol(): string {
    return this.#socket?.protocol ?? "";
  }

  get bufferedAmount(): number {
    return this.#socket?.bufferedAmount ?? 0;
  }

  get readyState(): number {
    return this.#socket?.readyState ?? this.#readyState;
  }

  get binaryType(): BinaryType {
    return this.#binaryType;
  }

  set binaryType(type: BinaryType) {
    this.#binaryType = type;
    if (this.#socket !== undefined) {
      this.#socket.binaryType = type;
    }
  }

  send(data: string | ArrayBuffer): void {
    if (this.#socket !== undefined) {
      this.#socket.send(data);
    } else if (this.#readyState === CONNECTING) {
      // Follows the standard (WebSockets, section 3.1), like the code below. On a closed socket, data is silently
      // discarded.
      throw new DOMException("the socket is still connecting", "InvalidStateError");
    }
  }

  close(code?: number, reason?: string): void {
    if (this.#socket !== undefined) {
      this.#socket.close(code, reason);
    } else if (this.#readyState === CONNECTING) {
      this.#readyState = CLOSING;
      // Fails after this call has returned, and without waiting for the page's answer.
      setTimeout(() => this.#fail(""), 0);
    }
  }

  #onAnswer(isGranted: boolean): void {
    if (this.#readyState !== CONNECTING) {
      return;
    }
    if (!isGranted) {
      this.#fail("the host does not allow connections to this address");
      return;
    }
    try {
      this.#open();
    } catch (error) {
      // The browser refuses some addresses at once, such as ws: from a page served by https:.
      this.#fail(error instanceof Error ? error.message : String(error));
    }
  }

  #open(): void {
    const socket = (
      this.#protocols === undefined ? new this.#Real(this.#url) : new this.#Real(this.#url, this.#protocols)
    ) as WebSocket;
    socket.binaryType = this.#binaryType;
    socket.onopen = () => this.#dispatch(new Event("open"), this.onopen);
    socket.onmessage = ({ data, origin }) =>
      this.#dispatch(new MessageEvent("message", { data, origin }), this.onmessage);
    socket.onerror = (event) => {
      const { message } = event as Partial<ErrorEvent>;
      this.#dispatch(new ErrorEvent("error", { message: message ?? "" }), this.onerror);
    };
    socket.onclose = ({ code, reason, wasClean }) => {
      this.#dispatch(new CloseEvent("close", { code, reason, wasClean }), this.onclose);
    };
    this.#socket = socket;
  }

  /** Fails like a connection that could not be established (WebSockets, section 4), but adds the reason. */
  #fail(reason: string): void {
    if (this.#readyState === CLOSED) {
      return;
    }
    this.#readyState = CLOSED;
    this.#dispatch(new ErrorEvent("error", { message: reason }), this.onerror);
    this.#dispatch(new CloseEvent("close", { code: 1006, reason: "", wasClean: false }), this.onclose);
  }

  /** Dispatches an event. Listeners run before the handler: they were added before the VM had the socket. */
  #dispatch<E extends Event>(event: E, listener: Listener<E>): void {
    this.dispatchEvent(event);
    listener?.call(this, event);
  }
}

function normalizeUrl(url: string): string {
  try {
    return new URL(url).href;
  } catch {
    throw new Error(`"${url}" is not a valid URL`);
  }
}
