// The services behind the examples. They know nothing of what carries them: the local server (tests/server/server.mjs) gives
// them connections over the network, and the loopback of the page (www/src/worker/loopback.ts) ones that never leave it.

import { binary } from "./binary.js";
import { chat } from "./chat.js";
import { echo } from "./echo.js";
import { feed } from "./feed.js";
import { flaky } from "./flaky.js";

/**
 * A connection, as its service sees it. It is open when the service gets it.
 *
 * @typedef {object} Connection
 * @property {(data: string | Uint8Array) => void} send Sends text, or bytes; nothing once it is closed.
 * @property {(code?: number, reason?: string) => void} close Closes it after what was sent before; 1000 by default.
 * @property {(listener: (data: string | Uint8Array) => void) => void} onMessage Calls the listener with each message that comes.
 * @property {(listener: () => void) => void} onClose Calls the listener once it is over, whoever closed it.
 */

/**
 * What talks to those who connect.
 *
 * @typedef {(connection: Connection) => void} Service
 */

/**
 * The services by their paths. What they remember, such as who is in which room, is their own for each call.
 *
 * @returns {Readonly<Record<string, { description: string, serve: Service }>>}
 */
export function makeServices() {
  return {
    "/echo": { description: "Sends back whatever comes", serve: echo },
    "/chat": { description: "Rooms where people talk, in JSON", serve: chat() },
    "/feed": { description: "Prices that change several times a second, in JSON", serve: feed() },
    "/binary": { description: "A calculator that speaks binary records", serve: binary },
    "/flaky": { description: "Answers heartbeats, and fails after some seconds", serve: flaky() },
  };
}
