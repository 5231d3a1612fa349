// As page.mjs, with the module in the script.

import * as luau from "luau-websocket/inline";
import { program } from "./program.mjs";

const address = new URLSearchParams(location.search).get("address") ?? "";
Object.assign(globalThis, { outcome: program(luau, address) });
