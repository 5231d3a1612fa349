// Like page.mjs, with the entry point that contains the WebAssembly module.

import * as luau from "luau-websocket/inline";
import { program } from "./program.mjs";

const address = new URLSearchParams(location.search).get("address") ?? "";
Object.assign(globalThis, { outcome: program(luau, address) });
