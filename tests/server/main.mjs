// Runs the servers, and with `--engine` a browser, for other programs:
//
//     node tests/server/main.mjs [--port N] [--engine NAME [--browser PATH] [--driver PATH]]   the test host, see host.mjs
//     node tests/server/main.mjs [--port N] --playground --root FOLDER                         the playground
//
// It prints one line of JSON when everything is ready, and ends when its standard input ends, so it never outlives the
// program that started it.

import { parseArgs } from "node:util";
import { engineNamed, findBrowser } from "./engines.mjs";
import { SERVERS } from "./host.mjs";
import { startServer } from "./server.mjs";

/** The time that the browser gets to close before it is killed, in milliseconds. */
const CLOSING_MS = 5_000;

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    playground: { type: "boolean", default: false },
    root: { type: "string" },
    engine: { type: "string" },
    browser: { type: "string" },
    driver: { type: "string" },
  },
});
const { playground, root, engine, browser: executable, driver } = values;

/** @type {{ close: () => Promise<unknown> }[]} */
const running = [];

/** Closes everything. After that nothing keeps this process running. */
function stop() {
  // Playwright and Puppeteer kill their browsers when this process exits.
  setTimeout(() => process.exit(1), CLOSING_MS).unref();
  for (const each of running) {
    each.close().catch(() => {});
  }
  process.stdin.destroy();
}
process.stdin.resume();
process.stdin.on("end", stop);
process.on("SIGINT", stop);
process.on("SIGTERM", stop);

const line = playground ? { port: await serve({ root, playground }) } : await testHost();
console.log(JSON.stringify(line));

/** @returns {Promise<import("./host.mjs").TestHost>} */
async function testHost() {
  const [browser, port, playground, site] = await Promise.all([
    engine === undefined ? undefined : startBrowser(engine),
    serve(SERVERS.port),
    serve(SERVERS.playground, 0),
    serve(SERVERS.site, 0),
  ]);
  return { port, playground, site, browser };
}

/** @param {string} name of the engine */
async function startBrowser(name) {
  const found = executable || driver ? { engine: name, executable, driver } : findBrowser(name);
  const served = await engineNamed(name).serve?.(found);
  if (served === undefined) {
    return found;
  }
  running.push(served);
  return { ...found, endpoint: served.endpoint };
}

/**
 * Starts a server.
 *
 * @param {Parameters<typeof startServer>[0]} options
 * @param {number} [port] the preferred port; if it is taken, another one is used
 */
async function serve(options, port = Number(values.port)) {
  const server = await startServer({ ...options, port }).catch((error) => {
    if (error.code !== "EADDRINUSE") {
      throw error;
    }
    return startServer(options);
  });
  running.push(server);
  return server.port;
}
