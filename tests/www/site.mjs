// The built site in a browser, as a visitor finds it.

import assert from "node:assert/strict";
import { after, before } from "node:test";
import { fileURLToPath } from "node:url";
import { launchBrowser } from "../server/browser.mjs";
import { startServer } from "../server/server.mjs";

const site = fileURLToPath(new URL("../../target/site/", import.meta.url));

/**
 * @typedef {{
 *   page: import("playwright-core").Page,
 *   browser: import("playwright-core").Browser,
 *   port: number,
 *   complaints: string[],
 *   open(page: import("playwright-core").Page, path?: string): Promise<void>,
 *   newPage(options?: import("playwright-core").BrowserContextOptions): Promise<import("playwright-core").Page>,
 * }} Context
 */

/**
 * The site, for all tests of a file: served with the local server, or as any static host does.
 *
 * @param {{ playground?: boolean }} [options]
 */
export function siteForTests({ playground = true } = {}) {
  /** @type {Context} */
  const context = /** @type {any} */ ({ complaints: [] });
  /** @type {Awaited<ReturnType<typeof startServer>> | undefined} */
  let server;

  before(async () => {
    server = await startServer({ root: site, playground });
    context.port = server.port;
    context.browser = await launchBrowser();
    context.open = async (page, path = "/") => {
      await page.goto(`http://127.0.0.1:${context.port}${path}`);
      await ready(page);
    };
    context.newPage = async (options) => {
      const page = await (await context.browser.newContext(options)).newPage();
      page.on("pageerror", (error) => context.complaints.push(String(error)));
      page.on("console", (message) => {
        if (["error", "warning"].includes(message.type())) {
          context.complaints.push(message.text());
        }
      });
      return page;
    };
    context.page = await context.newPage();
    await context.open(context.page);
  });

  after(async () => {
    await context.browser?.close();
    await server?.close();
  });

  return context;
}

/** @param {import("playwright-core").Page} page */
export async function ready(page) {
  await page.locator("#run:enabled").waitFor();
}

/**
 * Writes a script in the place of the one that is shown, as by pasting.
 *
 * @param {import("playwright-core").Page} page
 * @param {string} source
 */
export async function write(page, source) {
  await page.locator(".cm-content").click();
  await page.keyboard.press("Control+A");
  await page.keyboard.insertText(source);
}

/**
 * Writes a script and runs it.
 *
 * @param {import("playwright-core").Page} page
 * @param {string} source
 */
export async function run(page, source) {
  await write(page, source);
  await page.keyboard.press("Control+Enter");
}

/**
 * Waits until the status line says something.
 *
 * @param {import("playwright-core").Page} page
 * @param {string | RegExp} text
 */
export async function status(page, text) {
  await page.locator("#status").filter({ hasText: text }).waitFor();
}

/**
 * Waits until what a script has put out is drawn: with the next frame, or where the last drawing took long, after a rest.
 *
 * @param {import("playwright-core").Page} page
 */
export async function drawn(page) {
  await page.evaluate(
    () =>
      new Promise((resolve) => {
        // Longer than any rest, so that the timer of one that has begun comes first.
        setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(resolve)), 200);
      }),
  );
}

/**
 * The longest time in which the page did not answer while something was done, in milliseconds.
 *
 * @param {import("playwright-core").Page} page
 * @param {() => Promise<unknown>} act
 */
export async function longestPause(page, act) {
  await page.evaluate(() => {
    const pauses = { longest: 0, last: performance.now(), timer: 0 };
    pauses.timer = window.setInterval(() => {
      const now = performance.now();
      pauses.longest = Math.max(pauses.longest, now - pauses.last);
      pauses.last = now;
    }, 5);
    Object.assign(window, { pauses });
  });
  await act();
  return page.evaluate(() => {
    const { pauses } = /** @type {any} */ (window);
    clearInterval(pauses.timer);
    return Math.max(pauses.longest, performance.now() - pauses.last);
  });
}

/**
 * Goes on by the Tab key until what the selector names has the focus.
 *
 * @param {import("playwright-core").Page} page
 * @param {string} selector
 */
export async function tabTo(page, selector) {
  for (let step = 0; step < 60; step++) {
    await page.keyboard.press("Tab");
    if (await page.evaluate((selector) => document.activeElement?.matches(selector) ?? false, selector)) {
      return;
    }
  }
  assert.fail(`${selector} cannot be reached`);
}
