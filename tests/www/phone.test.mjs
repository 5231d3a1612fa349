// Fingers can do everything that a mouse can: on a phone nothing opens out of view, and nothing requires hovering.
//
// Tier: default; --full adds the landscape orientation.

import assert from "node:assert/strict";
import { test } from "node:test";
import { isFull } from "../server/tier.mjs";
import { NO_VIOLATIONS, violationsInBothThemes } from "./axe.mjs";
import { addFile, run, settled, siteForTests, write } from "./site.mjs";

const context = siteForTests({ playground: false });

const PORTRAIT = { width: 390, height: 844 };
const LANDSCAPE = { width: 844, height: 390 };

/** @param {import("playwright-core").BrowserContextOptions} [options] */
async function openPhone(options) {
  const phone = await context.newPage({ viewport: PORTRAIT, hasTouch: true, isMobile: true, ...options });
  await context.open(phone);
  return phone;
}

/** @type {ReturnType<typeof openPhone> | undefined} */
let sharedPhone;

/** Returns the page that most of the tests share. */
const phone = () => {
  sharedPhone ??= openPhone();
  return sharedPhone;
};

const TALK = `local ws = websocket.connect("ws://loopback/echo")
for i = 1, 30 do ws:Send('{"number":' .. i .. '}') ws:Receive() end
task.wait(60)`;

for (const viewport of isFull ? [PORTRAIT, LANDSCAPE] : [PORTRAIT]) {
  test(`at ${viewport.width} × ${viewport.height} a tapped frame opens in view`, async () => {
    const page = await phone();
    await page.setViewportSize(viewport);
    await run(page, TALK);
    await page.locator('[data-show="sockets"]:visible').tap();
    await page.getByRole("option").filter({ hasText: '{"number":30}' }).first().tap();
    await page.locator(".sockets-detail").getByText('"number": 30').waitFor();
    await page.waitForFunction(() => {
      const [box, outer] = [".sockets-detail", "#sockets"].map((selector) =>
        document.querySelector(selector)?.getBoundingClientRect(),
      );
      return box && outer && box.top >= outer.top - 1 && box.top < outer.bottom - 50;
    });
    await page.setViewportSize(PORTRAIT);
    await page.getByRole("button", { name: "Script" }).tap();
  });
}

test("a tap on an error marker in the editor shows the error", async () => {
  const page = await phone();
  await write(page, `local x = = 1 -- ${"far to the right ".repeat(10)}`);
  await page.locator(".cm-lint-marker-error").tap();
  const tooltip = page.locator(".cm-tooltip .cm-diagnostic", { hasText: /Expected identifier.*compiler/ });
  await tooltip.waitFor();
  const box = await tooltip.boundingBox();
  assert(box && box.x >= 0 && box.x + box.width <= PORTRAIT.width, JSON.stringify(box));
  await page.locator(".cm-content").tap();
  await page.locator(".cm-tooltip .cm-diagnostic").waitFor({ state: "detached" });
});

test("touch targets are large enough", async () => {
  const page = await phone();
  await addFile(page, "util");
  const remove = await page.locator(".file .remove").boundingBox();
  assert(remove && remove.width >= 32 && remove.height >= 32, JSON.stringify(remove));
  await page.getByRole("tab", { name: "main.luau" }).tap();
  await run(page, "print({ 1 })");
  const line = await page.locator(".output-line", { has: page.locator(".output-node") }).boundingBox();
  assert(line && line.height >= 28, JSON.stringify(line));
});

test("the page says that the examples' server is inside it, on a phone and embedded", async () => {
  const page = await phone();
  assert(await page.getByText("Examples talk to a server inside this page").isVisible());
  await context.open(page, "/?embed");
  assert(await page.getByText("Examples talk to a server inside this page").isVisible());
});

test("axe finds nothing serious on a phone in either theme, whatever is open", async () => {
  const page = await openPhone({ bypassCSP: true });
  const check = async (/** @type {string} */ what) =>
    assert.deepEqual(await violationsInBothThemes(page), NO_VIOLATIONS, what);
  await check("the page");
  await write(page, "local x = = 1");
  await settled(page);
  await page.locator(".cm-lint-marker-error").tap();
  await page.locator(".cm-tooltip .cm-diagnostic").waitFor();
  await check("a problem");
  await write(page, "");
  await page.keyboard.type("task.");
  await page.locator(".cm-tooltip-autocomplete").waitFor();
  await check("completion");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "New file" }).tap();
  await page.locator("#name-dialog[open]").waitFor();
  await check("the dialog for names");
  await page.getByRole("button", { name: "Cancel" }).tap();
  await run(page, `${TALK.replace("task.wait(60)", "task.spawn(error, { 1 }) task.wait(60)")}`);
  await page.getByRole("log").getByRole("button").waitFor();
  await check("the output");
  await page.getByRole("button", { name: /^Sockets/ }).tap();
  await page.getByRole("option").filter({ hasText: '{"number":30}' }).first().tap();
  await page.locator(".sockets-detail").getByText('"number": 30').waitFor();
  await check("a frame");
  await context.open(page, "/#v9.abc");
  await page.reload();
  await page.locator("#notice").waitFor();
  await check("a notice");
  await page.context().close();
});

test("the browser reports no problems", () => {
  assert.deepEqual(context.complaints, []);
});
