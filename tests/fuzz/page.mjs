// Plays programs in a page of the fuzzer, or in workers of it.

import { Luau, LuauError } from "../../pkg/index.js";
import { LuauWorker } from "../../pkg/worker.js";
import { makeRealm } from "./realm.mjs";

// Scripts print a lot, and Playwright keeps everything that reaches the console.
console.log = console.warn = console.error = () => {};

const server = location.host;
const inPage = makeRealm({ create: (options) => Luau.create(options), LuauError, server });
const inWorker = makeRealm({ create: (options) => LuauWorker.create(options), LuauError, server });

Object.assign(globalThis, {
  playProgram: (
    /** @type {import("./program.mjs").Program} */ program,
    /** @type {boolean} */ isForWorker,
  ) => (isForWorker ? inWorker(program) : inPage(program)),
});
