// Like main.mjs, with the entry point that contains the WebAssembly module.

import * as luau from "luau-websocket/inline";
import { program } from "./program.mjs";

console.log(JSON.stringify(await program(luau, process.argv[2] ?? "")));
