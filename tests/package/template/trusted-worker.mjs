// Like luau-worker.mjs, for a page whose policy requires Trusted Types for script addresses.

import { LuauError, LuauWorker } from "luau-websocket/worker";
import { program } from "./program.mjs";

const address = new URLSearchParams(location.search).get("address") ?? "";
const script = new URL("./thread-by-path.mjs", import.meta.url).href;
const { trustedTypes } = /** @type {any} */ (globalThis);
const policy = trustedTypes.createPolicy("workers", {
  createScriptURL: (/** @type {string} */ url) => {
    if (url !== script) {
      throw new TypeError(`not a script of this page: ${url}`);
    }
    return url;
  },
});
const worker = () => new Worker(policy.createScriptURL(script), { type: "module" });
/** @param {import("luau-websocket/worker").LuauWorkerOptions} [options] */
const create = (options) => LuauWorker.create({ ...options, worker });
Object.assign(globalThis, { outcome: program({ Luau: { create }, LuauError }, address) });
