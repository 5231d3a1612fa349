// Like main.mjs, in a thread of Node.

import { Worker } from "node:worker_threads";

new Worker(new URL("./main.mjs", import.meta.url), { argv: process.argv.slice(2) });
