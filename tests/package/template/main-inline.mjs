// As main.mjs, with the module in the script.

import * as luau from "luau-websocket/inline";
import { program } from "./program.mjs";

console.log(JSON.stringify(await program(luau, process.argv[2] ?? "")));
