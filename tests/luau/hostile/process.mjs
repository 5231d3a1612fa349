// Runs the hostile scripts that the parent process sends.

import WebSocket from "ws";
import { Luau, LuauError } from "../../../pkg/node.js";
import { Runner } from "./realm.mjs";

/** It has the time slice of a page, so that a script has the same outcome in both. */
const runner = new Runner({
  create: (options = {}) =>
    Luau.create({ timeSlice: 8, ...options, websocket: { ...options.websocket, WebSocket } }),
  LuauError,
  isWorker: false,
});

process.on("uncaughtException", (error) => runner.noteUncaught(error));
process.on("unhandledRejection", (error) => runner.noteUncaught(error));
process.on("message", async (script) => {
  process.send?.(await runner.run(/** @type {any} */ (script)));
});
