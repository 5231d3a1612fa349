// The server of the tests and of `cargo xtask serve`. It serves static files, and WebSockets with a chosen behavior,
// one path per behavior. The services of the playground's examples are among the paths. It listens on loopback only.
//
// Unanswered connections have an address of their own: a browser opens the WebSockets to an address one at a time (RFC
// 6455, section 4.1), so an unanswered one would block all others. Firefox treats all ports as one address.
//
// Test files that run at the same time share a server. A file that counts connections adds `?tag=NAME` to their
// addresses, and requests `/server/connections?tag=NAME`.

import { createServer } from "node:http";
import { createServer as createTcpServer } from "node:net";
import sirv from "sirv";
import { WebSocketServer } from "ws";
import { makeServices } from "../../www/services/services.js";

/** @typedef {import("node:stream").Duplex} Duplex */
/** @typedef {import("node:http").IncomingMessage} Request */
/** @typedef {Map<Duplex, string | null>} Connections the connections with their tags */
/** @typedef {{ params: URLSearchParams, request: Request, stream: Duplex, head: Buffer, accept: () => Promise<import("ws").WebSocket> }} Upgrade */

/** A second loopback address, if the system has one without setup. */
const SILENT_HOST = process.platform === "linux" ? "127.0.0.2" : "127.0.0.1";

/**
 * The messages received on `/record`, by name.
 *
 * @type {Map<string, string[]>}
 */
const recorded = new Map();

/**
 * The handlers by path.
 *
 * @type {Record<string, (upgrade: Upgrade) => void | Promise<void>>}
 */
const behaviors = {
  /** Sends back every message. */
  async echo({ accept }) {
    const socket = await accept();
    socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
  },

  /**
   * Sends `count` messages, the numbers from 1, together with the answer to the handshake. It pauses for `pause`
   * seconds after the first one, and closes at the end if `close` is set.
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

  /** Sends one message when `count` messages have arrived. */
  async tally({ params, accept }) {
    const socket = await accept();
    let left = Number(params.get("count"));
    socket.on("message", () => {
      left--;
      if (left === 0) {
        socket.send("all");
      }
    });
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

  /** Answers the handshake with a wrong key. */
  "wrong-accept"({ stream }) {
    stream.write(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
        "Sec-WebSocket-Accept: d3Jvbmc=\r\n\r\n",
    );
  },

  /** Accepts with the subprotocol `choose`, requested or not, or with none. See `handleProtocols` below. */
  async subprotocol({ accept }) {
    await accept();
  },

  /** Sends text that is not UTF-8 after `seconds`. If it came with the handshake, Firefox would report a failed handshake. */
  async "bad-utf8"({ params, stream, accept }) {
    await accept();
    await seconds(params.get("seconds"));
    stream.write(Buffer.from([0x81, 0x02, 0xc3, 0x28]));
  },

  /** Sends a binary message of `bytes` bytes in `fragments` parts. */
  async large({ params, accept }) {
    const socket = await accept();
    const fragments = Number(params.get("fragments") ?? 1);
    const part = Buffer.alloc(Number(params.get("bytes")) / fragments);
    for (let number = 1; number <= fragments; number++) {
      socket.send(part, { binary: true, fin: number === fragments });
    }
  },

  /** Sends a ping, and the data of the pong as a text. */
  async ping({ accept }) {
    const socket = await accept();
    socket.on("pong", (data) => socket.send(`pong: ${data}`));
    socket.ping("are you there");
  },

  /** Accepts, and then reads nothing. */
  async stall({ stream, accept }) {
    await accept();
    stream.pause();
  },

  /** Records every message under `name`; `/server/recorded?name=…` returns them. */
  async record({ params, accept }) {
    const socket = await accept();
    /** @type {string[]} */
    const messages = [];
    recorded.set(params.get("name") ?? "", messages);
    socket.on("message", (data) => messages.push(String(data)));
    socket.on("close", (code, reason) => messages.push(`closed ${code} ${reason}`));
  },

  /**
   * Sends a close frame with the code 4001 and the reason "leaving" after `seconds`. With `hold` the TCP connection stays open.
   */
  async "close-frame"({ params, stream, accept }) {
    await accept();
    await seconds(params.get("seconds"));
    const reason = Buffer.from("leaving");
    if (params.has("hold")) {
      // The answer is not read, so the connection does not end.
      stream.pause();
    }
    stream.write(Buffer.concat([Buffer.from([0x88, 2 + reason.length, 0x0f, 0xa1]), reason]));
  },

  /** Sends a frame with reserved bits after `seconds` (RFC 6455, section 5.2), and keeps the TCP connection open. */
  async "protocol-error"({ params, stream, accept }) {
    await accept();
    await seconds(params.get("seconds"));
    stream.write(Buffer.from([0xf1, 0x00]));
  },

  /** Answers the handshake with 401. */
  unauthorized({ stream }) {
    stream.end("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  },

  /** Answers the handshake with 403. */
  forbidden({ stream }) {
    stream.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  },
};

/**
 * Starts the server.
 *
 * @param {{ port?: number, root?: string, playground?: boolean }} [options] `root` is the served folder; none by
 * default. If a compressed file (`.br`, `.gz`) lies next to a file, it is sent instead. `playground` means that the
 * folder contains the playground, which then learns that there is a server for its examples.
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
  /** @type {Connections} */
  const open = new Map();
  /** @type {Connections} */
  const halfOpen = new Map();

  /** @param {URL} url */
  const answer = (url) => {
    switch (url.pathname) {
      case "/server/connections":
        return countConnections(open, tagOf(url));
      case "/server/half-open":
        return countConnections(halfOpen, tagOf(url));
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
      // Tests in a browser ask too.
      response.setHeader("Access-Control-Allow-Origin", "*");
      response.end(JSON.stringify(answer(url)));
    } else if (playground && url.pathname.endsWith("/services.json")) {
      // Replaces the file of the site, which says that there is no server.
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

  http.on("upgrade", (request, stream, head) => {
    const url = urlOf(request);
    watch(open, stream, tagOf(url));
    const name = url.pathname.slice(1);
    const behavior = Object.hasOwn(behaviors, name) ? behaviors[name] : undefined;
    const service = services.get(url.pathname);
    // A socket closes after an error, such as a message that is too long. Services only care about the close.
    const accept = () =>
      /** @type {Promise<import("ws").WebSocket>} */ (
        new Promise((resolve) => sockets.handleUpgrade(request, stream, head, resolve))
      ).then((socket) => socket.on("error", () => {}));
    if (behavior !== undefined) {
      behavior({ params: url.searchParams, request, stream, head, accept });
    } else if (service !== undefined) {
      accept().then((socket) => service.serve(connectionOf(socket)));
    } else {
      stream.end("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    }
  });

  const silent = createTcpServer((stream) => {
    watch(halfOpen, stream, null);
    // Reading is also what reveals that the other side has ended.
    stream.on("data", (data) => {
      const target = /^GET (\S+) /.exec(String(data))?.[1];
      if (target !== undefined) {
        halfOpen.set(stream, tagOf(new URL(target, "http://localhost")));
      }
    });
  });

  await listen(http, port);
  await listen(silent, 0, SILENT_HOST);
  const closed = await closedPort();
  return {
    port: portOf(http),
    close: async () => {
      for (const stream of [...open.keys(), ...halfOpen.keys()]) {
        stream.destroy();
      }
      http.closeAllConnections();
      await Promise.all([close(http), close(silent)]);
    },
  };
}

/**
 * Adds a connection until it closes.
 *
 * @param {Connections} connections
 * @param {Duplex} stream
 * @param {string | null} tag
 */
function watch(connections, stream, tag) {
  connections.set(stream, tag);
  stream.on("close", () => connections.delete(stream));
  // Some tests are about peers that disappear without a closing handshake.
  stream.on("error", () => stream.destroy());
}

/**
 * Counts the connections with a tag, or all of them.
 *
 * @param {Connections} connections
 * @param {string | null} tag
 */
function countConnections(connections, tag) {
  return tag === null ? connections.size : [...connections.values()].filter((other) => other === tag).length;
}

/** @param {URL} url */
function tagOf(url) {
  return url.searchParams.get("tag");
}

/**
 * Wraps a socket for a service.
 *
 * @param {import("ws").WebSocket} socket
 * @returns {import("../../www/services/services.js").Connection}
 */
function connectionOf(socket) {
  return {
    // Sending on a closed socket is not an error here.
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

/** Returns a loopback port on which nothing listens. */
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
