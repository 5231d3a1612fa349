// The services behind the examples. They do not depend on a transport: the local server (tests/server/server.mjs) gives
// them connections over the network, and the loopback of the page (www/src/worker/loopback.ts) connections within the
// page.

import { binary } from "./binary.js";
import { chat } from "./chat.js";
import { echo } from "./echo.js";
import { feed } from "./feed.js";
import { flaky } from "./flaky.js";

/**
 * A connection, as its service sees it. It is open when the service receives it.
 *
 * @typedef {object} Connection
 * @property {(data: string | Uint8Array) => void} send Sends text or bytes. Does nothing on a closed connection.
 * @property {(code?: number, reason?: string) => void} close Closes the connection after everything sent so far; 1000
 * by default.
 * @property {(listener: (data: string | Uint8Array) => void) => void} onMessage Calls the listener with each message.
 * @property {(listener: () => void) => void} onClose Calls the listener once the connection is closed by either side.
 */

/**
 * Handles each new connection.
 *
 * @typedef {(connection: Connection) => void} Service
 */

/**
 * Returns the services by path. Each call creates its own state, such as the chat rooms.
 *
 * @returns {Readonly<Record<string, { description: string, serve: Service }>>}
 */
export function makeServices() {
  return {
    "/echo": { description: "Sends back every message", serve: echo },
    "/chat": { description: "Chat rooms, in JSON", serve: chat() },
    "/feed": { description: "Prices that change several times a second, in JSON", serve: feed() },
    "/binary": { description: "A calculator that speaks binary records", serve: binary },
    "/flaky": { description: "Answers heartbeats and fails after a few seconds", serve: flaky() },
  };
}
