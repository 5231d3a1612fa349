// Like main.mjs, with the VM in the worker that the package creates.

import { LuauError, LuauWorker } from "luau-websocket/worker";
import { program } from "./program.mjs";

console.log(JSON.stringify(await program({ Luau: LuauWorker, LuauError }, process.argv[2] ?? "")));
