// Runs the server as a program: `node tests/server/main.mjs [--port N] [--root FOLDER] [--playground]`.
//
// It prints one line of JSON once it listens, and ends when its standard input does: so it never outlives the program
// that started it.

import { parseArgs } from "node:util";
import { startServer } from "./server.mjs";

const { values } = parseArgs({
  options: { port: { type: "string" }, root: { type: "string" }, playground: { type: "boolean" } },
});
const { port = "0", ...options } = values;

/** @param {unknown} error */
function isTaken(error) {
  return error instanceof Error && "code" in error && error.code === "EADDRINUSE";
}

const server = await startServer({ ...options, port: Number(port) }).catch((error) => {
  if (!isTaken(error)) {
    throw error;
  }
  // The port was only a wish: any other serves as well.
  return startServer(options);
});
console.log(JSON.stringify({ port: server.port }));

process.stdin.resume();
process.stdin.on("end", async () => {
  await server.close();
  process.exit(0);
});
