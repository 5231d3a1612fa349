// Like main.mjs, for a Node without WebSocket.

import * as luau from "luau-websocket";
import { WebSocket } from "ws";
import { program } from "./program.mjs";

console.log(JSON.stringify(await program(luau, process.argv[2] ?? "", { websocket: { WebSocket } })));
