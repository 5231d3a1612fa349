// The server of the tests and of `cargo xtask serve`: WebSockets that behave in a chosen way, one path a behaviour, and
// static files. It listens on loopback only. The services of the playground's examples are among the paths.
//
// Connections that are never answered have an address of their own: a browser opens one WebSocket after the other to an
// address (RFC 6455, section 4.1), so such a one would hold up all others. To Firefox all ports are one address.

import { createServer } from "node:http";
import { createServer as createTcpServer } from "node:net";
import sirv from "sirv";
import { WebSocketServer } from "ws";
import { makeServices } from "../../www/services/services.js";

/** @typedef {import("node:stream").Duplex} Duplex */
/** @typedef {import("node:http").IncomingMessage} Request */
/** @typedef {{ params: URLSearchParams, request: Request, stream: Duplex, head: Buffer, accept: () => Promise<import("ws").WebSocket> }} Upgrade */

/** Another address of this machine, where there is one without setting it up. */
const SILENT_HOST = process.platform === "linux" ? "127.0.0.2" : "127.0.0.1";

/**
 * What came on `/record`, by name.
 *
 * @type {Map<string, string[]>}
 */
const recorded = new Map();

/**
 * What happens on each path, by its name.
 *
 * @type {Record<string, (upgrade: Upgrade) => void | Promise<void>>}
 */
const behaviours = {
  /** Sends back whatever comes, as it came. */
  async echo({ accept }) {
    const socket = await accept();
    socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
  },

  /**
   * Sends `count` messages, the numbers from 1, at once with the answer to the handshake; after the first one it rests
   * for `pause` seconds; at the end it closes, if `close` is set.
   */
  async burst({ params, accept }) {
    const socket = await accept();
    for (let number = 1; number <= Number(params.get("count") ?? 10); number++) {
      socket.send(String(number));
      if (number === 1 && params.has("pause")) {
        await seconds(params.get("pause"));
      }
    }
    if (params.has("close")) {
      socket.close(Number(params.get("close")), params.get("reason") ?? "");
    }
  },

  /** Sends one message after `seconds`. */
  async later({ params, accept }) {
    const socket = await accept();
    await seconds(params.get("seconds"));
    socket.send("later");
  },

  /** Answers the handshake after `seconds`. */
  async slow({ params, accept }) {
    await seconds(params.get("seconds"));
    await accept();
  },

  /** Resets the TCP connection after `seconds`, without a closing handshake. */
  async reset({ params, stream, accept }) {
    await accept();
    await seconds(params.get("seconds"));
    /** @type {import("node:net").Socket} */ (stream).resetAndDestroy();
  },

  /** Answers the handshake with a redirect. */
  redirect({ stream }) {
    stream.end("HTTP/1.1 302 Found\r\nLocation: /echo\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  },

  /** Answers the handshake with a key that does not belong to it. */
  "wrong-accept"({ stream }) {
    stream.write(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
        "Sec-WebSocket-Accept: d3Jvbmc=\r\n\r\n",
    );
  },

  /** Accepts; the subprotocol is `choose`, asked for or not, or none. See `handleProtocols` below. */
  async subprotocol({ accept }) {
    await accept();
  },

  /** Sends a text frame whose text is not UTF-8 after `seconds`: with the handshake, Firefox takes it for one that failed. */
  async "bad-utf8"({ params, stream, accept }) {
    await accept();
    await seconds(params.get("seconds"));
    stream.write(Buffer.from([0x81, 0x02, 0xc3, 0x28]));
  },

  /** Sends a binary message of `bytes` in so many `fragments`. */
  async large({ params, accept }) {
    const socket = await accept();
    const fragments = Number(params.get("fragments") ?? 1);
    const part = Buffer.alloc(Number(params.get("bytes")) / fragments);
    for (let number = 1; number <= fragments; number++) {
      socket.send(part, { binary: true, fin: number === fragments });
    }
  },

  /** Sends a ping, and what came back as a text. */
  async ping({ accept }) {
    const socket = await accept();
    socket.on("pong", (data) => socket.send(`pong: ${data}`));
    socket.ping("are you there");
  },

  /** Accepts, and reads nothing any more. */
  async stall({ stream, accept }) {
    await accept();
    stream.pause();
  },

  /** Notes what comes under `name`, for `/server/recorded?name=…` to tell. */
  async record({ params, accept }) {
    const socket = await accept();
    /** @type {string[]} */
    const messages = [];
    recorded.set(params.get("name") ?? "", messages);
    socket.on("message", (data) => messages.push(String(data)));
    socket.on("close", (code, reason) => messages.push(`closed ${code} ${reason}`));
  },

  /** Answers the handshake with 403. */
  forbidden({ stream }) {
    stream.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  },
};

/**
 * Starts the server.
 *
 * @param {{ port?: number, root?: string, playground?: boolean }} [options] `root` is the folder whose files are served, packed
 * ones (`.br`, `.gz`) where they lie beside; none by default. `playground` says that the playground is among them: it is told
 * that there is a server for its examples.
 * @returns {Promise<{ port: number, close: () => Promise<void> }>}
 */
export async function startServer({ port = 0, root, playground = false } = {}) {
  const files = root === undefined ? undefined : sirv(root, { dev: true, brotli: true, gzip: true });
  const services = new Map(Object.entries(makeServices()));
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: 128 * 1024 * 1024,
    handleProtocols: (_, request) => urlOf(request).searchParams.get("choose") || false,
  });
  /** @type {Set<Duplex>} */
  const streams = new Set();
  /** @type {Set<Duplex>} */
  const halfOpen = new Set();

  /** @param {URL} url */
  const answer = (url) => {
    switch (url.pathname) {
      case "/server/connections":
        return streams.size;
      case "/server/half-open":
        return halfOpen.size;
      case "/server/ports":
        return { silent: `${SILENT_HOST}:${portOf(silent)}`, closed: `127.0.0.1:${closed}` };
      case "/server/recorded":
        return recorded.get(url.searchParams.get("name") ?? "");
      default:
        return null;
    }
  };

  const http = createServer((request, response) => {
    const url = urlOf(request);
    if (url.pathname.startsWith("/server/")) {
      // Read by tests that run in a browser and want to know how things look from the other side.
      response.setHeader("Access-Control-Allow-Origin", "*");
      response.end(JSON.stringify(answer(url)));
    } else if (playground && url.pathname.endsWith("/services.json")) {
      // In the place of the file of the site, which says that there is none.
      response.setHeader("Content-Type", "application/json");
      response.setHeader("Cache-Control", "no-store");
      response.end(JSON.stringify({ server: true }));
    } else if (files === undefined) {
      response.writeHead(404).end();
    } else {
      files(request, response, () => {
        response.writeHead(404).end("not found");
      });
    }
  });

  /** @param {Duplex} stream @param {Set<Duplex>} [among] */
  const watch = (stream, among = streams) => {
    among.add(stream);
    stream.on("close", () => among.delete(stream));
    // A peer that goes away without a word is what some tests are about.
    stream.on("error", () => stream.destroy());
  };

  http.on("upgrade", (request, stream, head) => {
    watch(stream);
    const url = urlOf(request);
    const name = url.pathname.slice(1);
    const behaviour = Object.hasOwn(behaviours, name) ? behaviours[name] : undefined;
    const service = services.get(url.pathname);
    const accept = () =>
      /** @type {Promise<import("ws").WebSocket>} */ (
        new Promise((resolve) => sockets.handleUpgrade(request, stream, head, resolve))
      );
    if (behaviour !== undefined) {
      behaviour({ params: url.searchParams, request, stream, head, accept });
    } else if (service !== undefined) {
      accept().then((socket) => service.serve(connectionOf(socket)));
    } else {
      stream.end("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    }
  });

  const silent = createTcpServer((stream) => {
    watch(stream, halfOpen);
    // Read, since the end of the other side is only noticed then.
    stream.resume();
  });

  await listen(http, port);
  await listen(silent, 0, SILENT_HOST);
  const closed = await closedPort();
  return {
    port: portOf(http),
    close: async () => {
      for (const stream of [...streams, ...halfOpen]) {
        stream.destroy();
      }
      http.closeAllConnections();
      await Promise.all([close(http), close(silent)]);
    },
  };
}

/**
 * A socket, as a service sees it.
 *
 * @param {import("ws").WebSocket} socket
 * @returns {import("../../www/services/services.js").Connection}
 */
function connectionOf(socket) {
  // What it has to say is nothing to a service: the connection closes after it.
  socket.on("error", () => {});
  return {
    // One that is closed takes nothing, and that is no error here.
    send: (data) => socket.send(data, () => {}),
    close: (code = 1000, reason = "") => socket.close(code, reason),
    onMessage: (listener) =>
      socket.on("message", (data, isBinary) =>
        listener(isBinary ? new Uint8Array(/** @type {Buffer} */ (data)) : String(data)),
      ),
    onClose: (listener) => socket.on("close", listener),
  };
}

/** @param {Request} request */
function urlOf(request) {
  return new URL(request.url ?? "/", "http://localhost");
}

/** @param {string | null} count */
function seconds(count) {
  return new Promise((resolve) => setTimeout(resolve, Number(count ?? 1) * 1_000));
}

/** A port of loopback at which nobody listens. */
async function closedPort() {
  const server = createTcpServer();
  await listen(server, 0);
  const port = portOf(server);
  await close(server);
  return port;
}

/**
 * @param {import("node:net").Server} server
 * @param {number} port
 * @param {string} [host]
 * @returns {Promise<void>}
 */
function listen(server, port, host = "127.0.0.1") {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
}

/** @param {import("node:net").Server} server */
function close(server) {
  return new Promise((resolve) => server.close(resolve));
}

/** @param {import("node:net").Server} server */
function portOf(server) {
  const address = server.address();
  if (address === null || typeof address === "string") {
    throw new Error("the server does not listen on a port");
  }
  return address.port;
}
