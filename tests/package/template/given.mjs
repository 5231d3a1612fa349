// As page.mjs, and says where the module is.

import * as luau from "luau-websocket";
import { program } from "./program.mjs";

const address = new URLSearchParams(location.search).get("address") ?? "";
Object.assign(globalThis, { outcome: program(luau, address, { wasm: "/elsewhere/given.wasm" }) });
