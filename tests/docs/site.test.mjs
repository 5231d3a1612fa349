// The documentation is accessible in both themes and on a phone. It can be searched, and its scripts can be tried.
//
// Tier: default; --full adds axe in the dark theme and on a phone for every page, not only for those that differ.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { PAGES } from "../../docs/site/pages.mjs";
import { collectComplaints, openBrowser, openServer, root } from "../server/browser.mjs";
import { isFull } from "../server/tier.mjs";
import { NO_VIOLATIONS, violations, violationsInBothThemes } from "../www/axe.mjs";
import { ready } from "../www/site.mjs";

/** Only guards against hanging, in milliseconds. */
const PATIENCE = 120_000;

/** @type {string[]} */
const complaints = [];
/** @type {Awaited<ReturnType<typeof openServer>>} */
let server;
/** @type {import("playwright-core").Browser} */
let browser;

before(async () => {
  server = await openServer("playground");
  browser = await openBrowser();
});

after(async () => {
  await browser?.close();
  await server?.close();
});

/** @param {import("playwright-core").BrowserContextOptions} [options] */
async function newPage(options) {
  const page = await (await browser.newContext(options)).newPage();
  page.setDefaultTimeout(PATIENCE);
  collectComplaints(page, complaints);
  return page;
}

const address = (/** @type {string} */ page) => `http://127.0.0.1:${server.port}/docs/${page}.html`;

/** @param {import("playwright-core").Page} page */
async function openPlayground(page) {
  await page.goto(`http://127.0.0.1:${server.port}/`);
  await ready(page);
}

const SCREENS = {
  desktop: { viewport: { width: 1280, height: 800 } },
  phone: { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true },
};

/**
 * Returns pages that together contain every kind of element, that is, every tag with every class. All pages share a
 * layout and a style sheet, so if these are accessible in another theme or on a phone, all are.
 */
function pagesThatDiffer() {
  const seen = new Set();
  return PAGES.filter((path) => {
    const html = readFileSync(join(root, "target/site/docs", `${path}.html`), "utf8");
    const before = seen.size;
    for (const [, tag, className = ""] of html.matchAll(/<(\w+)(?:[^>]*? class="?([^">]*))?/g)) {
      seen.add(`${tag}.${className}`);
    }
    return seen.size > before;
  });
}

for (const [name, screen] of Object.entries(SCREENS)) {
  test(`axe finds nothing serious on a ${name}, and nothing is cut off`, async () => {
    const inDepth = isFull ? PAGES : pagesThatDiffer();
    const page = await newPage({ ...screen, bypassCSP: true });
    for (const path of PAGES) {
      await page.goto(address(path));
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      assert(overflow <= 0, `${path} is ${overflow} pixels too wide`);
      if (inDepth.includes(path)) {
        assert.deepEqual(await violationsInBothThemes(page), NO_VIOLATIONS, path);
      } else if (name === "desktop") {
        assert.deepEqual(await violations(page), [], path);
      }
    }
    await page.close();
  });
}

test("the search finds a word and leads to its place", async () => {
  const page = await newPage();
  await page.goto(address("guides/worker"));
  await page.getByRole("searchbox", { name: "Search" }).fill("receive timeout");
  const results = page.locator("#search-results a");
  await results.first().waitFor();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.waitForURL(/reference\/scripts\.html#websocketconnectionreceive$/);
  await page.getByRole("searchbox", { name: "Search" }).fill("nothinglikethis");
  await page.locator("#search-status").filter({ hasText: "0 results" }).waitFor();
  assert(!(await page.locator("#search-results").isVisible()));
  await page.close();
});

test("a script opens in the playground and talks to its server", async () => {
  const page = await newPage();
  await page.goto(address("tutorial"));
  await page.getByRole("link", { name: "Try it" }).nth(1).click();
  await ready(page);
  await page.locator(".cm-content").getByText(`ws://127.0.0.1:${server.port}/chat`).waitFor();
  await page.locator("#run").click();
  await page.getByRole("log").getByText("joined").waitFor();
  await page.close();
});

test("the playground links to the documentation, which takes over its theme", async () => {
  const page = await newPage({ colorScheme: "light" });
  await openPlayground(page);
  await page.getByLabel("Theme").selectOption("dark");
  await page.getByRole("link", { name: "Docs" }).click();
  await page.getByRole("heading", { level: 1, name: "Luau with WebSockets" }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
  await page.getByRole("link", { name: "Playground" }).click();
  await ready(page);
  await page.close();
});

test("offline, the playground does not appear in place of the documentation", async () => {
  const page = await newPage();
  await openPlayground(page);
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.reload();
  await ready(page);
  await page.goto(address("tutorial"));
  await page.getByRole("heading", { level: 1, name: "From nothing to a chat client" }).waitFor();
  await page.context().setOffline(true);
  await assert.rejects(page.goto(address("guides/node")), /ERR_INTERNET_DISCONNECTED/);
  await page.close();
});

test("the browser has reported no errors or warnings", () => {
  assert.deepEqual(
    complaints.filter((complaint) => !complaint.includes("ERR_INTERNET_DISCONNECTED")),
    [],
  );
});
