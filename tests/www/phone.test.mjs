// A finger does what a mouse does: on a phone nothing opens out of view, and nothing is told by hovering alone.

import assert from "node:assert/strict";
import { test } from "node:test";
import { violations } from "./axe.mjs";
import { run, siteForTests, write } from "./site.mjs";

const context = siteForTests({ playground: false });

const PORTRAIT = { width: 390, height: 844 };
const LANDSCAPE = { width: 844, height: 390 };

/** @param {{ width: number, height: number }} viewport */
async function phone(viewport, more = {}) {
  const page = await context.newPage({ viewport, hasTouch: true, isMobile: true, ...more });
  await context.open(page);
  return page;
}

const TALK = `local ws = websocket.connect("ws://loopback/echo")
for i = 1, 30 do ws:Send('{"number":' .. i .. '}') ws:Receive() end
task.wait(60)`;

for (const viewport of [PORTRAIT, LANDSCAPE]) {
  test(`at ${viewport.width} × ${viewport.height} a frame that is tapped opens in view`, async () => {
    const page = await phone(viewport);
    await run(page, TALK);
    await page.locator('[data-show="sockets"]:visible').tap();
    await page.getByRole("option").filter({ hasText: '{"number":30}' }).first().tap();
    const detail = page.locator(".sockets-detail");
    await detail.getByText('"number": 30').waitFor();
    await page.waitForTimeout(300);
    const [box, outer] = [await detail.boundingBox(), await page.locator("#sockets").boundingBox()];
    assert(box && outer);
    assert(box.y >= outer.y - 1 && box.y < outer.y + outer.height - 50, JSON.stringify([box, outer]));
    await page.context().close();
  });
}

test("a mark of the editor that is tapped tells what is wrong", async () => {
  const page = await phone(PORTRAIT);
  await write(page, `local x = = 1 -- ${"far to the right ".repeat(10)}`);
  await page.locator(".cm-lint-marker-error").tap();
  const told = page.locator(".cm-tooltip .cm-diagnostic", { hasText: /Expected identifier.*compiler/ });
  await told.waitFor();
  const box = await told.boundingBox();
  assert(box && box.x >= 0 && box.x + box.width <= PORTRAIT.width, JSON.stringify(box));
  await page.locator(".cm-content").tap();
  await page.locator(".cm-tooltip .cm-diagnostic").waitFor({ state: "detached" });
  await page.context().close();
});

test("it is said that the server of the examples is inside of the page, on a phone and in another page", async () => {
  const page = await phone(PORTRAIT);
  assert(await page.getByText("Examples talk to a server inside this page").isVisible());
  await context.open(page, "/?embed");
  assert(await page.getByText("Examples talk to a server inside this page").isVisible());
  await page.context().close();
});

test("what is to be tapped is large enough", async () => {
  const page = await phone(PORTRAIT);
  await page.getByRole("button", { name: "New file" }).tap();
  await page.getByLabel(/Name, such as/).fill("util");
  await page.getByRole("button", { name: "Create" }).tap();
  const remove = await page.locator(".file .remove").boundingBox();
  assert(remove && remove.width >= 32 && remove.height >= 32, JSON.stringify(remove));
  await page.getByRole("tab", { name: "main.luau" }).tap();
  await run(page, "print({ 1 })");
  const line = await page.locator(".output-line", { has: page.locator(".output-node") }).boundingBox();
  assert(line && line.height >= 28, JSON.stringify(line));
  await page.context().close();
});

for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
  test(`axe finds nothing serious on a phone in the ${colorScheme} theme, whatever is open`, async () => {
    const page = await phone(PORTRAIT, { colorScheme, bypassCSP: true });
    const check = async (/** @type {string} */ what) => assert.deepEqual(await violations(page), [], what);
    await check("the page");
    await write(page, "local x = = 1");
    await page.locator(".cm-lint-marker-error").tap();
    await page.locator(".cm-tooltip .cm-diagnostic").waitFor();
    await check("a problem");
    await write(page, "");
    await page.keyboard.type("task.");
    await page.locator(".cm-tooltip-autocomplete").waitFor();
    await check("completion");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "New file" }).tap();
    await check("the dialog of names");
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
}

test("nothing of all this made the browser complain", () => {
  assert.deepEqual(context.complaints, []);
});
