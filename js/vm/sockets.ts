import type { LuauOptions, SocketEvent, WebSocketConstructor } from "./options.js";

/**
 * The members of a socket that the VM and this file need: of the global `WebSocket`, that of `ws`, or one of the host's
 * own.
 */
export interface Socket {
  onopen: unknown;
  onmessage: unknown;
  onclose: unknown;
  onerror: unknown;
  readonly url: string;
  readonly readyState: number;
  send(data: string | ArrayBuffer): void;
  close(code?: number, reason?: string): void;
  // biome-ignore lint/suspicious/noExplicitAny: their events share no named type
  addEventListener(type: string, listener: (event: any) => void, options?: { once: boolean }): void;
  /** Only in the npm package ws: ends the connection without a closing handshake. */
  terminate?(): void;
}

/** The states of a socket (WebSockets, section 3.1). */
export const CONNECTING = 0;
export const OPEN = 1;
export const CLOSING = 2;
export const CLOSED = 3;

/** The members of a close event that this module reads. */
type Close = Pick<CloseEvent, "code" | "reason" | "wasClean">;

/** The close code of a connection that ended without a close frame (RFC 6455, section 7.4.1). */
const NO_CLOSE_FRAME = 1006;

/** A connection of a script, by which the host can send and close as the script does. */
export class LuauSocket {
  readonly #id: number;
  readonly #sockets: Sockets;

  constructor(id: number, sockets: Sockets) {
    this.#id = id;
    this.#sockets = sockets;
  }

  /**
   * Sends a message, text or bytes, as if the script had sent it.
   *
   * @throws Error if the connection is not open
   */
  send(data: string | Uint8Array): void {
    this.#sockets.open(this.#id).send(typeof data === "string" ? data : data.slice().buffer);
  }

  /**
   * Begins to close the connection. The script gets its `OnClose`.
   *
   * @param code 1000, or 3000 to 4999
   * @param reason at most 123 bytes
   * @throws Error if the connection is not open; DOMException for a code or a reason that the standard does not allow
   */
  close(code = 1000, reason = ""): void {
    this.#sockets.open(this.#id).close(code, reason);
  }
}

/** The sockets of a VM that are not closed, by the IDs in their events. */
export class Sockets {
  readonly #byId = new Map<number, Socket>();
  #lastId = 0;

  /** Adds a socket and returns its ID. */
  add(socket: Socket): number {
    this.#byId.set(++this.#lastId, socket);
    return this.#lastId;
  }

  remove(id: number): void {
    this.#byId.delete(id);
  }

  /**
   * Returns an open socket.
   *
   * @throws Error if there is none with this ID
   */
  open(id: number): Socket {
    const socket = this.#byId.get(id);
    if (socket?.readyState !== OPEN) {
      throw new Error(`there is no open connection ${id}`);
    }
    return socket;
  }
}

/**
 * Returns the constructor that the VM uses for its sockets. `live` collects the sockets of an instance that are not closed, so that they can
 * be closed when the VM itself can no longer do so.
 */
export function socketConstructor(
  options: LuauOptions,
  sockets: Sockets,
  live: Set<Socket>,
): WebSocketConstructor {
  const { websocket = {}, onSocket } = options;

  // Called with `new`, which returns the object that a constructor returns.
  function Connector(url: string, protocols?: string[]): Socket {
    if (websocket.allow !== undefined && !isAllowed(websocket.allow, parse(url))) {
      throw new Error(`the host does not allow connections to ${url}`);
    }
    const Constructor = websocket.WebSocket ?? globalThis.WebSocket;
    if (Constructor === undefined) {
      throw new Error(
        "there is no WebSocket here: pass one in the option websocket.WebSocket of Luau.create, such as that of the npm package ws",
      );
    }
    const socket: Socket = protocols === undefined ? new Constructor(url) : new Constructor(url, protocols);
    live.add(socket);
    const id = sockets.add(socket);
    const closed = onSocket === undefined ? undefined : observe(socket, url, id, onSocket);
    watchEnd(socket, (event) => {
      live.delete(socket);
      sockets.remove(id);
      closed?.(event);
    });
    return socket;
  }

  return Connector as unknown as WebSocketConstructor;
}

/**
 * Calls `onEnd` once, when a socket has closed. If a socket fails without a close event, this closes it, as the
 * standard demands (WebSockets, section 4): Node 22 reports only the error, and the npm package ws waits 30 seconds for
 * the server.
 */
function watchEnd(socket: Socket, onEnd: (event: Close) => void): void {
  let isOver = false;
  let reason = "";
  const end = (event: Close) => {
    isOver = true;
    onEnd({ code: event.code, reason: event.reason || reason, wasClean: event.wasClean });
  };
  socket.addEventListener("close", (event: Close) => {
    // Node 22 may still send a close event after this has closed the socket.
    if (!isOver) {
      end(event);
    }
  });
  socket.addEventListener("error", (event: Partial<ErrorEvent>) => {
    // Node's error for a name with several addresses, none of which answers, has a code and no text.
    reason ||= event.message || (event.error as { code?: string } | undefined)?.code || "";
    // If both events come, the other one precedes this task.
    setTimeout(() => {
      if (isOver) {
        return;
      }
      const event = { code: NO_CLOSE_FRAME, reason, wasClean: false };
      const { onclose } = socket;
      end(event);
      if (typeof onclose === "function") {
        onclose.call(socket, event);
      }
      socket.terminate?.();
    }, 0);
  });
}

function parse(address: string): URL {
  try {
    return new URL(address);
  } catch {
    throw new Error(`"${address}" is not a valid URL`);
  }
}

/** Evaluates the host's policy. A policy that fails allows nothing; its error is for the host, not for the script. */
export function isAllowed(allow: (url: URL) => boolean, url: URL): boolean {
  try {
    const answer: unknown = allow(url);
    if (typeof answer !== "boolean") {
      // An async policy is refused, and nothing else handles its rejection.
      Promise.resolve(answer).catch(() => {});
      throw new TypeError(`option websocket.allow must return true or false, but returned ${String(answer)}`);
    }
    return answer;
  } catch (error) {
    console.error(error);
    return false;
  }
}

/**
 * Reports all events of a socket to `tell`. Its exceptions are logged and change nothing.
 *
 * @returns a function that reports the close
 */
function observe(
  socket: Socket,
  address: string,
  id: number,
  tell: (event: SocketEvent) => void,
): (event: Close) => void {
  let url = address;
  const put = (event: Omit<SocketEvent, "id" | "url" | "time">) => {
    try {
      tell({ id, url, time: performance.now(), ...event });
    } catch (error) {
      console.error(error);
    }
  };
  let isOpen = false;
  const open = () => {
    if (!isOpen) {
      isOpen = true;
      url = socket.url;
      put({ type: "open" });
    }
  };
  put({ type: "connecting" });
  socket.addEventListener("open", open);
  socket.addEventListener("message", ({ data }: MessageEvent) => put({ type: "message", ...contents(data) }));
  const send = socket.send;
  socket.send = (data) => {
    // Some runtimes call `onopen`, in which a script may already send, before the listeners.
    open();
    send.call(socket, data);
    put({ type: "send", ...contents(data) });
  };
  // Deno gives no code if the connection ended without a close frame.
  return ({ code, reason }) => put({ type: "close", code: code || NO_CLOSE_FRAME, reason });
}

function contents(data: unknown): { data: string | Uint8Array; size: number } {
  if (typeof data === "string") {
    return { data, size: new TextEncoder().encode(data).length };
  }
  const bytes = new Uint8Array(data as ArrayBuffer).slice();
  return { data: bytes, size: bytes.length };
}

/** Closes sockets whose VM is gone. */
export function closeAll(live: Set<Socket>): void {
  for (const socket of live) {
    socket.onopen = null;
    socket.onmessage = null;
    socket.onclose = null;
    try {
      socket.close();
    } catch (error) {
      console.error(error);
    }
  }
  live.clear();
}
