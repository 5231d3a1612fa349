// What a visitor wrote is never lost, whatever else is opened, shared, or not kept by the browser.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ready, run, siteForTests, write } from "./site.mjs";

const context = siteForTests({ playground: false });

/** @typedef {import("playwright-core").Page} Page */

/** @param {Page} page */
const script = async (page) => (await page.locator(".cm-content").innerText()).trim();

/** @param {Page} page */
const settled = (page) => page.waitForTimeout(500);

/**
 * @param {Page} page
 * @param {string | RegExp} name
 */
async function choose(page, name) {
  await page.getByRole("button", { name: "Examples" }).click();
  await page.locator(".choice").filter({ hasText: name }).first().click();
}

/** @param {Page} page */
async function ownScripts(page) {
  await page.getByRole("button", { name: "Examples" }).click();
  await page.locator("#examples-dialog[open]").waitFor();
  const texts = await page.locator(".choice").filter({ hasText: "My script" }).allInnerTexts();
  await page.keyboard.press("Escape");
  return texts;
}

/** @param {Page} page */
async function share(page) {
  await page.getByRole("button", { name: "Share" }).click();
  await page.locator("#share-dialog[open]").waitFor();
  const link = await page.getByLabel("Link", { exact: true }).inputValue();
  const note = await page.locator("#share-note").innerText();
  await page.keyboard.press("Escape");
  return { link, note };
}

test("addresses that the visitor wrote stay as they are", async () => {
  const page = await context.newPage();
  await context.open(page);
  const source = "-- ws://127.0.0.1:8080/mine ws://loopback/echo ws://loopback2";
  await write(page, source);
  await settled(page);
  await page.reload();
  await ready(page);
  assert.equal(await script(page), source);
  await page.goto(`${(await share(page)).link}`);
  await page.reload();
  await ready(page);
  assert.equal(await script(page), source);
  await page.context().close();
});

test("who shares a script and opens the link has it once, and can delete others", async () => {
  const page = await context.newPage();
  await context.open(page);
  await write(page, "-- one");
  await settled(page);
  const { link } = await share(page);
  await page.goto("about:blank");
  await page.goto(link);
  await ready(page);
  assert.equal(await page.locator("#notice").isVisible(), false);
  await write(page, "-- one, changed");
  await settled(page);
  assert.deepEqual(await ownScripts(page), []);
  await choose(page, "Chat");
  await write(page, "-- two");
  await settled(page);
  assert.equal((await ownScripts(page)).length, 1);
  await page.getByRole("button", { name: "Examples" }).click();
  page.once("dialog", (dialog) => dialog.accept());
  await page.getByRole("button", { name: /^Delete/ }).click();
  await page.keyboard.press("Escape");
  assert.deepEqual(await ownScripts(page), []);
  assert.equal(await script(page), "-- two");
  await page.context().close();
});

test("any number of scripts is kept", async () => {
  const page = await context.newPage();
  await context.open(page);
  for (let number = 1; number <= 25; number++) {
    await choose(page, "Echo");
    await write(page, `-- number ${number}`);
  }
  assert.equal((await ownScripts(page)).length, 24);
  await page.context().close();
});

test("where the browser keeps nothing, the scripts of before are still in the list", async () => {
  const page = await context.newPage();
  await page.addInitScript(() => {
    Storage.prototype.setItem = () => {
      throw new DOMException("full", "QuotaExceededError");
    };
  });
  await context.open(page);
  await write(page, "-- not kept");
  await page.locator("#notice").getByText("does not keep your script").waitFor();
  await choose(page, "Chat");
  assert.notEqual(await script(page), "-- not kept");
  assert(await page.locator("#notice").isVisible());
  await choose(page, "not kept");
  assert.equal(await script(page), "-- not kept");
  let asked = false;
  page.on("dialog", (dialog) => {
    asked = dialog.type() === "beforeunload";
    void dialog.accept();
  });
  await page.close({ runBeforeUnload: true });
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert(asked);
  await page
    .context()
    .close()
    .catch(() => {});
});

test("what is chosen is what another tab made of it meanwhile", async () => {
  const one = await context.newPage();
  await context.open(one);
  await write(one, "-- version 1");
  await settled(one);
  const other = await one.context().newPage();
  await context.open(other);
  await choose(other, "Chat");
  await other.getByRole("button", { name: "Examples" }).click();
  await write(one, "-- version 2");
  await settled(one);
  await other.locator(".choice").filter({ hasText: "version 1" }).click();
  assert.equal(await script(other), "-- version 2");
  await one.context().close();
});

test("a new file is empty, whatever was in one of its name before", async () => {
  const page = await context.newPage();
  await context.open(page);
  for (const source of ["-- of the first", "-- of the second"]) {
    await page.getByRole("button", { name: "New file" }).click();
    await page.getByLabel(/Name, such as/).fill("util");
    await page.getByRole("button", { name: "Create" }).click();
    assert.equal(await script(page), "local util = {}");
    await write(page, source);
    await settled(page);
    await choose(page, "Echo");
  }
  await page.context().close();
});

test("what is too large for a link is not made one, and can be downloaded", async () => {
  const page = await context.newPage();
  await context.open(page);
  const source = `--[[${"0123456789".repeat(450_000)}]]`;
  await page.evaluate((source) => {
    const text = JSON.stringify({ v: 1, files: [["main", source]] });
    localStorage.setItem("luau-playground:script:1", JSON.stringify({ changed: Date.now(), text }));
  }, source);
  await page.reload();
  await ready(page);
  const { link, note } = await share(page);
  assert.equal(link, "");
  assert.match(note, /too large for a link/);
  await page.getByRole("button", { name: "Share" }).click();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Download the files" }).click(),
  ]);
  assert.equal(download.suggestedFilename(), "main.luau");
  await page.context().close();
});

test("what is not a link of ours is none, and a notice can be closed by the keyboard", async () => {
  const page = await context.newPage();
  await context.open(page);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement?.id), "editor");
  assert.equal(await page.locator("#notice").isVisible(), false);
  assert.equal(new URL(page.url()).hash, "");
  await context.open(page, "/#v9.abc");
  await page.reload();
  await page.getByRole("button", { name: "Close the notice" }).press("Enter");
  assert.equal(await page.locator("#notice").isVisible(), false);
  await page.context().close();
});

test("what is written in an embedded playground stays there", async () => {
  const page = await context.newPage();
  await context.open(page);
  await write(page, "-- my own");
  await settled(page);
  await page.setViewportSize({ width: 320, height: 240 });
  await context.open(page, "/?embed");
  assert.notEqual(await script(page), "-- my own");
  assert(((await page.locator("#editor").boundingBox())?.height ?? 0) > 80);
  await write(page, "-- in the embedded one");
  await settled(page);
  await context.open(page);
  assert.equal(await script(page), "-- my own");
  await page.context().close();
});

test("a file that is not there any more is missed at once, and its tab takes nothing along", async () => {
  const page = await context.newPage();
  await context.open(page);
  for (const name of ["util", "other"]) {
    await page.getByRole("button", { name: "New file" }).click();
    await page.getByLabel(/Name, such as/).fill(name);
    await page.getByRole("button", { name: "Create" }).click();
    await write(page, "return {}");
  }
  await page.getByRole("tab", { name: "main.luau" }).click();
  await write(page, "local util = require('./util')\nprint(util)");
  page.on("dialog", (dialog) => dialog.accept());
  await page.getByRole("tab", { name: "util.luau" }).getByText("×").click();
  assert.match(await script(page), /require/);
  await page.locator(".cm-lintRange-error").first().waitFor();
  await page.context().close();
});

test("a message that is being written is not lost to a new run", async () => {
  const page = await context.newPage();
  await context.open(page);
  await run(page, "local ws = websocket.connect('ws://loopback/echo') print('open') task.wait(60)");
  await page.getByRole("log").getByText("open").waitFor();
  await page.locator("#sockets-tab").click();
  await page.getByRole("row", { name: /Open/ }).first().click();
  await page.getByRole("textbox", { name: "Message to send by hand" }).fill("by hand");
  await page.keyboard.press("Control+Enter");
  await settled(page);
  assert(await page.getByRole("row", { name: /Open/ }).first().isVisible());
  await page.context().close();
});

test("nothing of all this made the browser complain", () => {
  assert.deepEqual(context.complaints, []);
});
