// A process that plays the programs that its parent sends.

import WebSocket from "ws";
import { Luau, LuauError } from "../../pkg/node.js";
import { makeRealm } from "./realm.mjs";

const play = makeRealm({
  create: (options) => Luau.create(options),
  LuauError,
  WebSocket,
  server: String(process.argv[2]),
});

process.on("message", async (program) => {
  const verdict = await play(/** @type {any} */ (program));
  process.send?.(verdict);
});
