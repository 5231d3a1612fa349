// The browser and the server for a test file that runs in Node.

import { after, before } from "node:test";
import { engineNamed, findBrowser } from "./engines.mjs";
import { host, openServer, root } from "./host.mjs";

export { CHROMIUM_ARGS } from "./engines.mjs";
export { openServer, root };

/** The name of the browser's engine, as in `wasm-pack.toml`. */
export const engine = host?.browser?.engine ?? process.env.ENGINE ?? "Chromium";

/**
 * Starts a browser for one file, even if there is a shared one, for tests that need special arguments or a browser of
 * their own.
 *
 * @param {string[]} [args] additional arguments for Chromium
 */
export async function launchBrowser(args = []) {
  return asPlaywright(await engineNamed(engine).launch(host?.browser ?? findBrowser(engine), args));
}

/** Connects to the shared browser, or starts one if there is none. Closing it closes only the pages of this file. */
export async function openBrowser() {
  const shared = host?.browser;
  return shared?.endpoint === undefined
    ? launchBrowser()
    : asPlaywright(await engineNamed(engine).connect?.(shared.endpoint, shared));
}

/**
 * Types a browser as one of Playwright's. Other engines only have the methods of `Browser` in engines.mjs; files that
 * run there use no others.
 *
 * @param {unknown} browser
 */
function asPlaywright(browser) {
  return /** @type {import("playwright-core").Browser} */ (browser);
}

/**
 * Opens a page of the repository in a browser, for all tests of a file.
 *
 * @typedef {object} Context
 * @property {import("playwright-core").Page} page
 * @property {import("playwright-core").Browser} browser
 * @property {number} port the port of the server
 * @property {string[]} complaints the errors and warnings in the console of `page`, and its uncaught errors
 *
 * @param {string} path
 * @param {(context: Context) => Promise<void>} ready called before the first test
 * @param {string[]} [args] for a Chromium that only this file uses, because most arguments affect all pages
 * @returns {Context}
 */
export function pageForTests(path, ready = async () => {}, args = []) {
  /** @type {Context} */
  const context = /** @type {any} */ ({ complaints: [] });
  /** @type {Awaited<ReturnType<typeof openServer>> | undefined} */
  let server;

  before(async () => {
    server = await openServer();
    context.port = server.port;
    context.browser = await (args.length > 0 ? launchBrowser(args) : openBrowser());
    context.page = await context.browser.newPage();
    collectComplaints(context.page, context.complaints);
    await context.page.goto(`http://127.0.0.1:${server.port}${path}`);
    await ready(context);
  });

  after(async () => {
    await context.browser?.close();
    await server?.close();
  });

  return context;
}

/** Matches the messages of Chromium and Firefox about a WebSocket that could not connect, or was closed before it did. */
const FAILED_CONNECTION =
  /WebSocket connection to|can’t establish a connection to the server at wss?:|connection to wss?:\S+ was interrupted/;

/**
 * Filters out the browsers' messages about failed connections, which many tests cause on purpose.
 *
 * @param {string[]} complaints
 */
export function unexpected(complaints) {
  return complaints.filter((text) => !FAILED_CONNECTION.test(text));
}

/**
 * Appends the complaints of a page to a list.
 *
 * @param {import("playwright-core").Page} page
 * @param {string[]} complaints
 */
export function collectComplaints(page, complaints) {
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    // Puppeteer says "warn" where Playwright says "warning".
    if (["error", "warning", "warn"].includes(message.type())) {
      complaints.push(message.text());
    }
  });
}

/**
 * Asks the server about itself, such as how many connections it has.
 *
 * @param {{ port: number }} context
 * @param {string} question
 */
export async function ask({ port }, question) {
  return (await fetch(`http://127.0.0.1:${port}/server/${question}`)).json();
}
