// Like page.mjs, but passes the address of the module.

import * as luau from "luau-websocket";
import { program } from "./program.mjs";

const address = new URLSearchParams(location.search).get("address") ?? "";
Object.assign(globalThis, { outcome: program(luau, address, { wasm: "/elsewhere/given.wasm" }) });
