// The documentation is for everybody, in either theme and on a phone; it can be searched, and its scripts can be tried.

import assert from "node:assert/strict";
import { test } from "node:test";
import { PAGES } from "../../docs/site/pages.mjs";
import { violations } from "../www/axe.mjs";
import { ready, siteForTests } from "../www/site.mjs";

const context = siteForTests();

const address = (/** @type {string} */ page) => `http://127.0.0.1:${context.port}/docs/${page}.html`;

const SCREENS = {
  desktop: { viewport: { width: 1280, height: 800 } },
  phone: { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true },
};

for (const theme of /** @type {const} */ (["light", "dark"])) {
  for (const [name, screen] of Object.entries(SCREENS)) {
    test(`axe finds nothing serious in the ${theme} theme on a ${name}, and nothing is cut off`, async () => {
      const page = await context.newPage({ ...screen, colorScheme: theme, bypassCSP: true });
      for (const path of PAGES) {
        await page.goto(address(path));
        assert.deepEqual(await violations(page), [], path);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        assert(overflow <= 0, `${path} is ${overflow} pixels too wide`);
      }
      await page.close();
    });
  }
}

test("a word is found, and its result leads to the place", async () => {
  const page = await context.newPage();
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

test("a script that is tried runs in the playground, whose server it talks to", async () => {
  const page = await context.newPage();
  await page.goto(address("tutorial"));
  await page.getByRole("link", { name: "Try it" }).nth(1).click();
  await ready(page);
  await page.locator(".cm-content").getByText(`ws://127.0.0.1:${context.port}/chat`).waitFor();
  await page.locator("#run").click();
  await page.getByRole("log").getByText("joined").waitFor();
  await page.close();
});

test("the playground leads here, and the theme that is chosen there is that of the documentation", async () => {
  const page = await context.newPage({ colorScheme: "light" });
  await context.open(page);
  await page.getByLabel("Theme").selectOption("dark");
  await page.getByRole("link", { name: "Docs" }).click();
  await page.getByRole("heading", { level: 1, name: "Luau with WebSockets" }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
  await page.getByRole("link", { name: "Playground" }).click();
  await ready(page);
  await page.close();
});

test("without a network the playground is not shown in the place of the documentation", async () => {
  const page = await context.newPage();
  await context.open(page);
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.reload();
  await ready(page);
  await page.goto(address("tutorial"));
  await page.getByRole("heading", { level: 1, name: "From nothing to a chat client" }).waitFor();
  await page.context().setOffline(true);
  await assert.rejects(page.goto(address("guides/node")), /ERR_INTERNET_DISCONNECTED/);
  await page.close();
});

test("nothing of all this made the browser complain", () => {
  assert.deepEqual(
    context.complaints.filter((complaint) => !complaint.includes("ERR_INTERNET_DISCONNECTED")),
    [],
  );
});
