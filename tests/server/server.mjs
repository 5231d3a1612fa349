// The server of the tests and of `cargo xtask serve`: WebSockets that behave in a chosen way, one path a behaviour, and
// static files. It listens on loopback only.

import { createServer } from "node:http";
import { createServer as createTcpServer } from "node:net";
import sirv from "sirv";
import { WebSocketServer } from "ws";

/** @typedef {import("node:stream").Duplex} Duplex */
/** @typedef {import("node:http").IncomingMessage} Request */
/** @typedef {{ params: URLSearchParams, request: Request, stream: Duplex, head: Buffer, accept: () => Promise<import("ws").WebSocket> }} Upgrade */

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

  /** Sends `count` messages, the numbers from 1, at once with the answer to the handshake; closes if `close` is set. */
  async burst({ params, accept }) {
    const socket = await accept();
    for (let number = 1; number <= Number(params.get("count") ?? 10); number++) {
      socket.send(String(number));
    }
    if (params.has("close")) {
      socket.close(Number(params.get("close")), params.get("reason") ?? "");
    }
  },

  /** Takes the connection and never answers the handshake. */
  silent() {},

  /** Answers the handshake with 403. */
  forbidden({ stream }) {
    stream.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  },
};

/**
 * Starts the server.
 *
 * @param {{ port?: number, root?: string }} [options] `root` is the folder whose files are served; none by default.
 * @returns {Promise<{ port: number, close: () => Promise<void>, connections: () => number }>}
 */
export async function startServer({ port = 0, root } = {}) {
  const files = root === undefined ? undefined : sirv(root, { dev: true });
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 128 * 1024 * 1024 });
  /** @type {Set<Duplex>} */
  const streams = new Set();

  const http = createServer((request, response) => {
    if (request.url === "/server/connections") {
      // Read by tests that run in a browser and want to know whether the other side has let go.
      response.setHeader("Access-Control-Allow-Origin", "*");
      response.end(String(streams.size));
    } else if (files === undefined) {
      response.writeHead(404).end();
    } else {
      files(request, response, () => response.writeHead(404).end("not found"));
    }
  });

  http.on("upgrade", (request, stream, head) => {
    streams.add(stream);
    stream.on("close", () => streams.delete(stream));
    // A peer that goes away without a word is what some tests are about.
    stream.on("error", () => stream.destroy());
    const url = new URL(request.url ?? "/", "ws://localhost");
    const behaviour = behaviours[url.pathname.slice(1)];
    if (behaviour === undefined) {
      stream.end("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
      return;
    }
    const accept = () =>
      /** @type {Promise<import("ws").WebSocket>} */ (
        new Promise((resolve) => sockets.handleUpgrade(request, stream, head, resolve))
      );
    behaviour({ params: url.searchParams, request, stream, head, accept });
  });

  await /** @type {Promise<void>} */ (
    new Promise((resolve, reject) => {
      http.once("error", reject);
      http.listen(port, "127.0.0.1", resolve);
    })
  );
  return {
    port: portOf(http),
    connections: () => streams.size,
    close: () =>
      new Promise((resolve) => {
        for (const stream of streams) {
          stream.destroy();
        }
        http.close(() => resolve());
        http.closeAllConnections();
      }),
  };
}

/** A port of loopback at which nobody listens. */
export async function closedPort() {
  const server = createTcpServer();
  await /** @type {Promise<void>} */ (new Promise((resolve) => server.listen(0, "127.0.0.1", resolve)));
  const port = portOf(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** @param {import("node:net").Server} server */
function portOf(server) {
  const address = server.address();
  if (address === null || typeof address === "string") {
    throw new Error("the server does not listen on a port");
  }
  return address.port;
}
