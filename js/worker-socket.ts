import type { WebSocketConstructor } from "./options.js";

type Listener<E> = ((event: E) => void) | null;

/**
 * The constructor of sockets that ask before they open: the VM wants a socket at once, and the page, which knows whether scripts
 * may connect, answers later. Until then, and for good if it says no, they are like sockets that get no answer.
 */
export function askingSocket(isAllowed: (url: string) => Promise<boolean>): WebSocketConstructor {
  return class extends AskingSocket {
    constructor(url: string, protocols?: string[]) {
      if (globalThis.WebSocket === undefined) {
        throw new Error("there is no WebSocket in this worker");
      }
      super(url, protocols, isAllowed);
    }
  };
}

/** A `WebSocket`, as far as the VM and sockets.ts need one. */
class AskingSocket extends EventTarget {
  onopen: Listener<Event> = null;
  onmessage: Listener<MessageEvent> = null;
  onclose: Listener<CloseEvent> = null;
  onerror: Listener<Event> = null;
  readonly #url: string;
  readonly #protocols: string[] | undefined;
  #binaryType: BinaryType = "blob";
  /** The real one, once it may be opened. */
  #socket: WebSocket | undefined;
  #readyState: number = WebSocket.CONNECTING;

  constructor(url: string, protocols: string[] | undefined, isAllowed: (url: string) => Promise<boolean>) {
    super();
    this.#url = parsed(url);
    this.#protocols = protocols;
    isAllowed(url).then(
      (isGranted) => this.#answered(isGranted),
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
    } else if (this.#readyState === WebSocket.CONNECTING) {
      // In the words of the standard (WebSockets, section 3.1), as below; once it is closed, data is lost without a word.
      throw new DOMException("the socket is still connecting", "InvalidStateError");
    }
  }

  close(code?: number, reason?: string): void {
    if (this.#socket !== undefined) {
      this.#socket.close(code, reason);
    } else if (this.#readyState === WebSocket.CONNECTING) {
      this.#readyState = WebSocket.CLOSING;
      // Never from inside the call, and not only when the page has answered.
      setTimeout(() => this.#fail(""), 0);
    }
  }

  #answered(isGranted: boolean): void {
    if (this.#readyState !== WebSocket.CONNECTING) {
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
    const socket =
      this.#protocols === undefined ? new WebSocket(this.#url) : new WebSocket(this.#url, this.#protocols);
    socket.binaryType = this.#binaryType;
    socket.onopen = () => this.#tell(new Event("open"), this.onopen);
    socket.onmessage = ({ data, origin }) =>
      this.#tell(new MessageEvent("message", { data, origin }), this.onmessage);
    socket.onerror = (event) => {
      const { message } = event as Partial<ErrorEvent>;
      this.#tell(new ErrorEvent("error", { message: message ?? "" }), this.onerror);
    };
    socket.onclose = ({ code, reason, wasClean }) => {
      this.#tell(new CloseEvent("close", { code, reason, wasClean }), this.onclose);
    };
    this.#socket = socket;
  }

  /** As the standard has it for connections that could not be made (WebSockets, section 4), and the reason, which it leaves out. */
  #fail(reason: string): void {
    if (this.#readyState === WebSocket.CLOSED) {
      return;
    }
    this.#readyState = WebSocket.CLOSED;
    this.#tell(new ErrorEvent("error", { message: reason }), this.onerror);
    this.#tell(new CloseEvent("close", { code: 1006, reason: "", wasClean: false }), this.onclose);
  }

  /** Listeners first: they were there before the VM had the socket. */
  #tell<E extends Event>(event: E, listener: Listener<E>): void {
    this.dispatchEvent(event);
    listener?.call(this, event);
  }
}

function parsed(url: string): string {
  try {
    return new URL(url).href;
  } catch {
    throw new Error(`"${url}" is not a valid URL`);
  }
}
