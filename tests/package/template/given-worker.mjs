// Like luau-worker.mjs, but creates the worker and passes the address of the module.

import { LuauError, LuauWorker } from "luau-websocket/worker";
import { program } from "./program.mjs";

const address = new URLSearchParams(location.search).get("address") ?? "";
const worker = () => new Worker("/thread.js", { type: "module" });
/** @param {import("luau-websocket/worker").LuauWorkerOptions} [options] */
const create = (options) => LuauWorker.create({ ...options, worker, wasm: "/elsewhere/given.wasm" });
Object.assign(globalThis, { outcome: program({ Luau: { create }, LuauError }, address) });
