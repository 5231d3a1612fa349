// The browser of the tests that Node drives: started once for a file, with the server beside it.

import { after, before } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { startServer } from "./server.mjs";
import { launchByDriver } from "./webdriver.mjs";

/** The folder of the repository. */
export const root = fileURLToPath(new URL("../../", import.meta.url));

/** The name of the browser's engine, as `wasm-pack.toml` has it. */
export const engine = process.env.ENGINE ?? "Chromium";

/** What Chromium is told. */
export const CHROMIUM_ARGS = [
  // Root needs it.
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
];

/**
 * Starts the browser that the environment names, with such arguments beside the usual ones.
 *
 * @param {string[]} [args] which only Chromium takes
 * @returns {Promise<import("playwright-core").Browser>}
 */
export async function launchBrowser(args = []) {
  const { CHROMIUM, WEBDRIVER } = process.env;
  if (WEBDRIVER) {
    return launchByDriver(WEBDRIVER, { "moz:firefoxOptions": { args: ["-headless"] } });
  }
  if (CHROMIUM) {
    return chromium.launch({ executablePath: CHROMIUM, args: [...CHROMIUM_ARGS, ...args] });
  }
  throw new Error("the environment names no browser: run the tests with `cargo xtask test`, which does it");
}

/**
 * A page of the repository in a browser, for all tests of a file.
 *
 * @typedef {{ page: import("playwright-core").Page, port: number, complaints: string[] }} Context
 * @param {string} path
 * @param {(context: Context) => Promise<void>} ready what is to be done before the first test
 * @param {string[]} [args] for the browser, beside the usual ones
 */
export function pageForTests(path, ready = async () => {}, args = []) {
  /** @type {Context} */
  const context = { page: /** @type {any} */ (undefined), port: 0, complaints: [] };
  /** @type {Awaited<ReturnType<typeof startServer>> | undefined} */
  let server;
  /** @type {import("playwright-core").Browser | undefined} */
  let browser;

  before(async () => {
    server = await startServer({ root });
    context.port = server.port;
    browser = await launchBrowser(args);
    context.page = await browser.newPage();
    context.page.on("pageerror", (error) => context.complaints.push(String(error)));
    context.page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) {
        context.complaints.push(message.text());
      }
    });
    await context.page.goto(`http://127.0.0.1:${server.port}${path}`);
    await ready(context);
  });

  after(async () => {
    await browser?.close();
    await server?.close();
  });

  return context;
}

/**
 * What the server says of itself.
 *
 * @param {{ port: number }} context
 * @param {string} question
 */
export async function ask({ port }, question) {
  return (await fetch(`http://127.0.0.1:${port}/server/${question}`)).json();
}
