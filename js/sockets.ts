import type { LuauOptions, SocketEvent, WebSocketConstructor } from "./options.js";

/** What the VM needs of a socket, and what is looked at here: the global `WebSocket`, that of `ws`, or one of the page's own. */
export interface Socket {
  onopen: unknown;
  onmessage: unknown;
  onclose: unknown;
  onerror: unknown;
  readonly url: string;
  send(data: string | ArrayBuffer): void;
  close(code?: number, reason?: string): void;
  // biome-ignore lint/suspicious/noExplicitAny: their events have nothing in common that is named
  addEventListener(type: string, listener: (event: any) => void, options?: { once: boolean }): void;
  /** Of the npm package ws: ends the connection without a closing handshake. */
  terminate?(): void;
}

/** The members of a close event that this module reads. */
type Close = Pick<CloseEvent, "code" | "reason" | "wasClean">;

/** The close code of a connection that ended without a close frame (RFC 6455, section 7.4.1). */
const NO_CLOSE_FRAME = 1006;

/**
 * The constructor that the VM uses for its sockets. `live` gets the sockets that are not closed, so that they can be closed
 * when the VM itself cannot do it any more.
 */
export function socketConstructor(options: LuauOptions, live: Set<Socket>): WebSocketConstructor {
  const { websocket = {}, onSocket } = options;
  let lastId = 0;

  // Called with `new`; what a constructor returns is what `new` gives.
  function Connector(url: string, protocols?: string[]): Socket {
    if (websocket.allow !== undefined && !isAllowed(websocket.allow, parse(url))) {
      throw new Error(`the host does not allow connections to ${url}`);
    }
    const Constructor = websocket.WebSocket ?? globalThis.WebSocket;
    if (Constructor === undefined) {
      throw new Error(
        "there is no WebSocket here: give Luau.create one as the option websocket.WebSocket, such as that of the npm package ws",
      );
    }
    const socket: Socket = protocols === undefined ? new Constructor(url) : new Constructor(url, protocols);
    live.add(socket);
    const closed = onSocket === undefined ? undefined : observe(socket, url, ++lastId, onSocket);
    watchEnd(socket, (event) => {
      live.delete(socket);
      closed?.(event);
    });
    return socket;
  }

  return Connector as unknown as WebSocketConstructor;
}

/**
 * Calls `onEnd` once, when a socket has closed. A socket that fails and does not tell of its close is closed here, as the standard has
 * it (WebSockets, section 4): that of Node 22 tells of the error and of nothing else, and that of the npm package ws waits 30 seconds
 * for the server.
 */
function watchEnd(socket: Socket, onEnd: (event: Close) => void): void {
  let isOver = false;
  let reason = "";
  const end = (event: Close) => {
    isOver = true;
    onEnd({ code: event.code, reason: event.reason || reason, wasClean: event.wasClean });
  };
  socket.addEventListener("close", (event: Close) => {
    // Node 22 may still send a close event after the socket was closed by hand.
    if (!isOver) {
      end(event);
    }
  });
  socket.addEventListener("error", (event: Partial<ErrorEvent>) => {
    // Node's error for a name with several addresses, none of which answers, has a code and no text.
    reason ||= event.message || (event.error as { code?: string } | undefined)?.code || "";
    // Where both events come, the other one does before this task is run.
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

/** Returns what the host's policy says. One that fails allows nothing; what went wrong is for the host to know, not for the script. */
export function isAllowed(allow: (url: URL) => boolean, url: URL): boolean {
  try {
    const answer: unknown = allow(url);
    if (typeof answer !== "boolean") {
      // An async policy is refused, and its rejection has nobody else to handle it.
      Promise.resolve(answer).catch(() => {});
      throw new TypeError(`option websocket.allow must return true or false, and returned ${String(answer)}`);
    }
    return answer;
  } catch (error) {
    console.error(error);
    return false;
  }
}

/**
 * Tells `tell` of all that happens on a socket. What it throws is shown, and changes nothing.
 *
 * @returns a function that tells of the close
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
    // Some runtimes call `onopen`, in which a script may send already, before they come to listeners.
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
