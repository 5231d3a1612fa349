// For a page: with `?address=…`, it stores the result in `outcome`.

import * as luau from "luau-websocket";
import { program } from "./program.mjs";

const address = new URLSearchParams(location.search).get("address") ?? "";
Object.assign(globalThis, { outcome: program(luau, address) });
