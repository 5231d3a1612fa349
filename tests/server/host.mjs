// The test host: the servers and the browser that all test files share. `cargo xtask test` starts it once per engine
// (see main.mjs) and passes the line that it prints to every file in the environment variable TEST_HOST. A file that
// runs without the variable, for example with `node --test tests/api/frames.test.mjs`, starts its own server and
// browser.

import { fileURLToPath } from "node:url";
import { startServer } from "./server.mjs";

/** The root folder of the repository. */
export const root = fileURLToPath(new URL("../../", import.meta.url));

const site = fileURLToPath(new URL("../../target/site/", import.meta.url));

/**
 * The servers, by their names in TEST_HOST: the files of the repository, the built site with the services of its
 * examples, and the built site as any static host serves it. All are echo servers as well.
 */
export const SERVERS = {
  port: { root },
  playground: { root: site, playground: true },
  site: { root: site },
};

/**
 * A browser for the tests. `endpoint` is set if the test host shares a running one.
 *
 * @typedef {object} BrowserInfo
 * @property {string} engine its name in `wasm-pack.toml`
 * @property {string} [executable] the path of the browser; WebKitGTK has a driver instead
 * @property {string} [driver] the path of the WebDriver program
 * @property {string} [endpoint] the address of the WebSocket that drives it
 *
 * The ports of the servers, and the browser. `cargo xtask` only reads `port`.
 * @typedef {Record<keyof typeof SERVERS, number> & { browser?: BrowserInfo }} TestHost
 */

/** @type {TestHost | undefined} */
export const host = process.env.TEST_HOST ? JSON.parse(process.env.TEST_HOST) : undefined;

/**
 * Returns a server of the test host, or starts one if there is no test host.
 *
 * Connections of other files share the server, so put `?tag=NAME` into the addresses of connections that you count.
 *
 * @param {keyof typeof SERVERS} [name]
 * @returns {ReturnType<typeof startServer>}
 */
export async function openServer(name = "port") {
  return host ? { port: host[name], close: async () => {} } : startServer(SERVERS[name]);
}
