// As page.mjs, with the VM in the worker that the package makes.

import { LuauError, LuauWorker } from "luau-websocket/worker";
import { program } from "./program.mjs";

const address = new URLSearchParams(location.search).get("address") ?? "";
Object.assign(globalThis, { outcome: program({ Luau: LuauWorker, LuauError }, address) });
