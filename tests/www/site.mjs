// The built site in a browser, as visitors find it.

import assert from "node:assert/strict";
import { after, before } from "node:test";
import { collectComplaints, openBrowser, openServer } from "../server/browser.mjs";

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
 * Opens the site for all tests of a file: served with the local server, or as any static host does.
 *
 * @param {{ playground?: boolean }} [options]
 */
export function siteForTests({ playground = true } = {}) {
  /** @type {Context} */
  const context = /** @type {any} */ ({ complaints: [] });
  /** @type {Awaited<ReturnType<typeof openServer>> | undefined} */
  let server;

  before(async () => {
    server = await openServer(playground ? "playground" : "site");
    context.port = server.port;
    context.browser = await openBrowser();
    context.open = async (page, path = "/") => {
      await page.goto(`http://127.0.0.1:${context.port}${path}`);
      await ready(page);
    };
    context.newPage = async (options) => {
      const page = await (await context.browser.newContext(options)).newPage();
      collectComplaints(page, context.complaints);
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

/**
 * Waits until scripts can run and all parts of the page are loaded except the type checker. Before that, keys do other
 * things in the editor.
 *
 * @param {import("playwright-core").Page} page
 */
export async function ready(page) {
  await page.locator("#run:enabled").waitFor();
  await page.locator('body:not([data-pending*="the rest"])').waitFor({ state: "attached" });
}

/**
 * Waits until the page has checked the syntax and the types of the current script.
 *
 * @param {import("playwright-core").Page} page
 */
export async function settled(page) {
  await page.locator('body[data-pending=""]').waitFor({ state: "attached", timeout: 60_000 });
}

/**
 * Waits until the browser's storage holds a script that contains the text.
 *
 * @param {import("playwright-core").Page} page
 * @param {string} text
 */
export async function saved(page, text) {
  await page.waitForFunction(
    (text) =>
      Object.entries(localStorage).some(
        ([name, value]) => name.startsWith("luau-playground:script:") && value.includes(text),
      ),
    // The storage contains JSON within JSON.
    JSON.stringify(JSON.stringify(text).slice(1, -1)).slice(1, -1),
  );
}

/**
 * Replaces the script in the editor, as by pasting.
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
 * Replaces the script in the editor and runs it.
 *
 * @param {import("playwright-core").Page} page
 * @param {string} source
 */
export async function run(page, source) {
  await write(page, source);
  await page.keyboard.press("Control+Enter");
}

/**
 * Waits until the status line contains a text.
 *
 * @param {import("playwright-core").Page} page
 * @param {string | RegExp} text
 */
export async function status(page, text) {
  await page.locator("#status").filter({ hasText: text }).waitFor();
}

/**
 * Stops the script.
 *
 * @param {import("playwright-core").Page} page
 */
export async function stop(page) {
  await page.locator("#stop").click();
  await status(page, "Stopped");
}

/**
 * Waits until all output that has arrived is drawn. If the status line says that the script has ended, that is everything.
 *
 * @param {import("playwright-core").Page} page
 */
export async function drawn(page) {
  await page.locator(".output-list:not([data-pending])").waitFor({ state: "attached" });
}

/**
 * Opens the list of examples and waits for it. The page loads the examples only then, and keys pressed before go elsewhere.
 *
 * @param {import("playwright-core").Page} page
 */
export async function openExamples(page) {
  await page.getByRole("button", { name: "Examples" }).click();
  await page.locator("#examples-dialog[open]").waitFor();
}

/**
 * Opens the dialog with the link to the script and waits for it, because the page compresses the script first.
 *
 * @param {import("playwright-core").Page} page
 */
export async function openShare(page) {
  await page.getByRole("button", { name: "Share" }).click();
  await page.locator("#share-dialog[open]").waitFor();
}

/**
 * Adds a file.
 *
 * @param {import("playwright-core").Page} page
 * @param {string} name
 */
export async function addFile(page, name) {
  await page.getByRole("button", { name: "New file" }).click();
  await page.getByLabel(/Name, such as/).fill(name);
  await page.getByRole("button", { name: "Create" }).click();
}

/**
 * Opens a page that may write to the clipboard, and returns it with a function that waits for the next text it writes.
 * Files that run at the same time share the browser and its clipboard, so they do not read it.
 *
 * @param {Context} context
 * @param {string} [path]
 */
export async function openWithClipboard({ newPage, open }, path) {
  const page = await newPage({ permissions: ["clipboard-write"] });
  await page.addInitScript(() => {
    const { clipboard } = navigator;
    const writeText = clipboard.writeText.bind(clipboard);
    clipboard.writeText = async (text) => {
      await writeText(text);
      Object.assign(window, { copied: text });
    };
  });
  await open(page, path);
  return {
    page,
    copied: async () => {
      const next = await page.waitForFunction(() => {
        const { copied } = /** @type {{ copied?: string }} */ (window);
        Object.assign(window, { copied: undefined });
        return copied === undefined ? undefined : { text: copied };
      });
      return (await next.evaluate((next) => next?.text)) ?? "";
    },
  };
}

/**
 * Presses the Tab key until an element that matches the selector has the focus.
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
  assert.fail(`the Tab key never reaches ${selector}`);
}

/** A script that sends 12 MB to an echo service. The inspector then drops the sent message to make room for the reply. */
export const LARGE_MESSAGE = `local ws = websocket.connect("ws://loopback/echo")
local bytes = buffer.create(12000000)
buffer.fill(bytes, 0, 0xab)
ws:Send(bytes)
task.wait(60)`;
