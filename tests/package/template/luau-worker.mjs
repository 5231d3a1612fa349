// Like page.mjs, with the VM in the worker that the package creates.

import { LuauError, LuauWorker } from "luau-websocket/worker";
import { program } from "./program.mjs";

const address = new URLSearchParams(location.search).get("address") ?? "";
Object.assign(globalThis, { outcome: program({ Luau: LuauWorker, LuauError }, address) });
