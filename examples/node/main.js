// Runs a Luau script: `node main.js FILE [ARGUMENT…]`.

import { readFile } from "node:fs/promises";
import { Luau, LuauError } from "luau-websocket";
import { WebSocket } from "ws";

const [file, ...args] = process.argv.slice(2);
if (file === undefined) {
  console.error("Usage: node main.js FILE [ARGUMENT…]");
  process.exit(2);
}

/** @param {LuauError} error */
function fail(error) {
  console.error(`${error.message}\n${error.traceback}`);
  process.exitCode = 1;
}

const luau = await Luau.create({
  // Node 20 has none of its own.
  websocket: { WebSocket: globalThis.WebSocket ?? WebSocket },
  // For `require`. What cannot be read is not there: the script gets an error that says so.
  modules: (path) => readFile(`${path}.luau`).catch(() => null),
  onError: fail,
});
try {
  await luau.run(await readFile(file), { chunkName: file, args });
  // The script may have left something that goes on: threads, timers, sockets.
  await luau.idle();
} catch (error) {
  if (!(error instanceof LuauError)) {
    throw error;
  }
  fail(error);
} finally {
  luau.dispose();
}
