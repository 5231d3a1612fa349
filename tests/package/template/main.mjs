// For the command line: `main.mjs ADDRESS` prints the result as JSON.

import * as luau from "luau-websocket";
import { program } from "./program.mjs";

console.log(JSON.stringify(await program(luau, process.argv[2] ?? "")));
