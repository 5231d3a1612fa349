// The playground is accessible: in either theme, on a phone, with only a keyboard, and embedded in another page.
//
// Tier: default.

import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_VIOLATIONS, violationsInBothThemes } from "./axe.mjs";
import { openExamples, openShare, run, siteForTests, status, tabTo } from "./site.mjs";

const context = siteForTests();

const SHOW_ALL = `print("text", { a = { 1, 2 } })
warn("careful")
local ws = websocket.connect("ws://loopback/echo")
ws:Send("hello")
print(ws:Receive())
task.spawn(error, "oops")
task.wait(60)`;

test("the keyboard alone is enough", async () => {
  const { page } = context;
  await tabTo(page, ".skip");
  await tabTo(page, "#examples");
  await page.keyboard.press("Enter");
  await page.locator("#examples-dialog[open]").waitFor();
  await page.keyboard.press("Escape");
  await tabTo(page, "#editor");
  await page.keyboard.press("Control+A");
  await page.keyboard.type("print('typed')");
  await page.keyboard.press("Control+Enter");
  await page.getByRole("log").getByText("typed").waitFor();
  await status(page, "Finished");
  // Tab indents in the editor; Escape and then Tab leaves it. The two must follow each other within seconds, so the
  // clock is stopped.
  await page.clock.setFixedTime(Date.now());
  await page.keyboard.press("Escape");
  await page.keyboard.press("Tab");
  assert(await page.evaluate(() => document.activeElement?.id !== "editor"));
  await tabTo(page, "#output-tab");
  await page.keyboard.press("ArrowRight");
  assert(await page.locator("#sockets").isVisible());
});

test("axe finds nothing serious in either theme", async () => {
  const page = await context.newPage({ bypassCSP: true });
  await context.open(page);
  const check = async (/** @type {string} */ what) =>
    assert.deepEqual(await violationsInBothThemes(page), NO_VIOLATIONS, what);
  await check("the page");
  await run(page, SHOW_ALL);
  await page.getByRole("log").getByText("oops").first().waitFor();
  await page.mouse.move(0, 0);
  await check("the output");
  await page.locator("#sockets-tab").click();
  await page.locator("#sockets").getByRole("row", { name: /Open/ }).first().waitFor();
  await check("the sockets");
  await openExamples(page);
  await check("the examples");
  await page.keyboard.press("Escape");
  await openShare(page);
  await check("the link");
  await page.context().close();
});

test("the page has the chosen theme from the first drawing on", async () => {
  const page = await context.newPage({ colorScheme: "light" });
  await context.open(page);
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await background();
  await page.getByLabel("Theme").selectOption("dark");
  const dark = await background();
  assert.notEqual(dark, light);
  await page.reload({ waitUntil: "commit" });
  await page.locator("header").waitFor();
  assert.equal(await background(), dark);
  await page.context().close();
});

test("a phone shows one part at a time and cuts nothing off", async () => {
  const page = await context.newPage({
    viewport: { width: 360, height: 740 },
    hasTouch: true,
    isMobile: true,
  });
  await context.open(page);
  const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert(await page.locator("#editor").isVisible());
  assert(!(await page.locator("#output").isVisible()));
  assert.equal(await overflow(), 0);
  await page.locator("#run").tap();
  await page.getByRole("log").getByText("Echo: Hello from Luau!").waitFor();
  assert(!(await page.locator("#editor").isVisible()));
  assert.equal(await overflow(), 0);
  await page.getByRole("button", { name: /^Sockets/ }).tap();
  await page.locator("#sockets").getByText("/echo").first().waitFor();
  assert.equal(await overflow(), 0);
  await page.getByRole("button", { name: "Script" }).tap();
  assert(await page.locator("#editor").isVisible());
  await page.context().close();
});

test("embedded in another page, it shows only what is needed and a way out", async () => {
  const page = await context.newPage();
  await context.open(page, "/?embed");
  assert(await page.locator("#run").isVisible());
  assert(!(await page.locator("#share").isVisible()));
  assert(await page.getByRole("link", { name: "Open in the playground" }).isVisible());
  await run(page, SHOW_ALL);
  await page.locator("#sockets-tab").click();
  const sockets = page.locator("#sockets");
  await sockets.getByRole("searchbox").waitFor();
  assert.equal((await sockets.locator(".tools").boundingBox())?.x, (await sockets.boundingBox())?.x);
  await page.context().close();
});

test("one line names the version of Luau", async () => {
  assert.match(await context.page.locator("#version").innerText(), /^Luau 0\.\d+$/);
});

test("the browser reports no problems", () => {
  assert.deepEqual(context.complaints, []);
});
