import type { LuauOptions, SocketEvent, WebSocketConstructor } from "./options.js";

/** What the VM needs of a socket, and what is looked at here. */
type Socket = WebSocket;

/**
 * The constructor that the VM uses for its sockets. `live` gets the sockets that are not closed, so that they can be closed
 * when the VM itself cannot do it any more.
 */
export function socketConstructor(options: LuauOptions, live: Set<WebSocket>): WebSocketConstructor {
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
    socket.addEventListener("close", () => live.delete(socket));
    if (onSocket !== undefined) {
      observe(socket, url, ++lastId, onSocket);
    }
    return socket;
  }

  return Connector as unknown as WebSocketConstructor;
}

function parse(address: string): URL {
  try {
    return new URL(address);
  } catch {
    throw new Error(`"${address}" is not a valid URL`);
  }
}

/** What the host's policy says. One that fails allows nothing; what went wrong is for the host to know, not for the script. */
export function isAllowed(allow: (url: URL) => boolean, url: URL): boolean {
  try {
    const answer: unknown = allow(url);
    if (typeof answer !== "boolean") {
      throw new TypeError(`option websocket.allow must return true or false, and returned ${String(answer)}`);
    }
    return answer;
  } catch (error) {
    console.error(error);
    return false;
  }
}

/** Tells `tell` of all that happens on a socket. What it throws is shown, and changes nothing. */
function observe(socket: Socket, address: string, id: number, tell: (event: SocketEvent) => void): void {
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
  socket.addEventListener("close", ({ code, reason }: CloseEvent) => put({ type: "close", code, reason }));
  const send = socket.send;
  socket.send = (data) => {
    // Some runtimes call `onopen`, in which a script may send already, before they come to listeners.
    open();
    send.call(socket, data);
    put({ type: "send", ...contents(data) });
  };
}

function contents(data: unknown): { data: string | Uint8Array; size: number } {
  if (typeof data === "string") {
    return { data, size: new TextEncoder().encode(data).length };
  }
  const bytes = new Uint8Array(data as ArrayBuffer).slice();
  return { data: bytes, size: bytes.length };
}

/** Closes sockets whose VM is gone. */
export function closeAll(live: Set<WebSocket>): void {
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
