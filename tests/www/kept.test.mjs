// Nothing that a visitor wrote is lost, whatever else is opened or shared, and whether or not the browser stores it.
//
// Tier: default.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  addFile,
  openExamples,
  openShare,
  ready,
  run,
  saved,
  settled,
  siteForTests,
  write,
} from "./site.mjs";

const context = siteForTests({ playground: false });

/** @typedef {import("playwright-core").Page} Page */

/** @param {Page} page */
const script = async (page) => (await page.locator(".cm-content").innerText()).trim();

/**
 * @param {Page} page
 * @param {string | RegExp} name
 */
async function choose(page, name) {
  await openExamples(page);
  await page.locator(".choice").filter({ hasText: name }).first().click();
}

/** @param {Page} page */
async function ownScripts(page) {
  await openExamples(page);
  const texts = await page.locator(".choice").filter({ hasText: "My script" }).allInnerTexts();
  await page.keyboard.press("Escape");
  return texts;
}

/** @param {Page} page */
async function share(page) {
  await openShare(page);
  const link = await page.getByLabel("Link", { exact: true }).inputValue();
  const note = await page.locator("#share-note").innerText();
  await page.keyboard.press("Escape");
  return { link, note };
}

test("addresses that the visitor wrote stay as they are, after a reload and in a link", async () => {
  const { page } = context;
  const source = "-- ws://127.0.0.1:8080/mine ws://loopback/echo ws://loopback2";
  await write(page, source);
  await saved(page, "ws://loopback2");
  await page.reload();
  await ready(page);
  assert.equal(await script(page), source);
  await page.goto(`${(await share(page)).link}`);
  await page.reload();
  await ready(page);
  assert.equal(await script(page), source);
});

test("opening the link to one's own script makes no copy of it, and other scripts can be deleted", async () => {
  const page = await context.newPage();
  await context.open(page);
  await write(page, "-- one");
  await saved(page, "-- one");
  const { link } = await share(page);
  await page.goto("about:blank");
  await page.goto(link);
  await ready(page);
  assert.equal(await page.locator("#notice").isVisible(), false);
  await write(page, "-- one, changed");
  await saved(page, "-- one, changed");
  assert.deepEqual(await ownScripts(page), []);
  await choose(page, /^Chat/);
  await write(page, "-- two");
  await saved(page, "-- two");
  assert.equal((await ownScripts(page)).length, 1);
  await openExamples(page);
  page.once("dialog", (dialog) => dialog.accept());
  await page.getByRole("button", { name: /^Delete/ }).click();
  await page.keyboard.press("Escape");
  assert.deepEqual(await ownScripts(page), []);
  assert.equal(await script(page), "-- two");
  await page.context().close();
});

test("the browser stores any number of scripts", async () => {
  const page = await context.newPage();
  await context.open(page);
  await page.evaluate(() => {
    for (let number = 1; number <= 30; number++) {
      const text = JSON.stringify({ v: 1, files: [["main", `-- number ${number}`]] });
      localStorage.setItem(`luau-playground:script:${number}`, JSON.stringify({ changed: number, text }));
    }
  });
  for (const source of ["-- one more", "-- and another one"]) {
    await choose(page, /^Echo/);
    await write(page, source);
  }
  await choose(page, /^Echo/);
  assert.equal((await ownScripts(page)).length, 32);
  await page.context().close();
});

test("where the browser stores nothing, earlier scripts are still in the list", async () => {
  const page = await context.newPage();
  await page.addInitScript(() => {
    Storage.prototype.setItem = () => {
      throw new DOMException("full", "QuotaExceededError");
    };
  });
  await context.open(page);
  await write(page, "-- not kept");
  await page.locator("#notice").getByText("could not save your script").waitFor();
  await choose(page, /^Chat/);
  assert.notEqual(await script(page), "-- not kept");
  assert(await page.locator("#notice").isVisible());
  await choose(page, "not kept");
  assert.equal(await script(page), "-- not kept");
  const [dialog] = await Promise.all([page.waitForEvent("dialog"), page.close({ runBeforeUnload: true })]);
  assert.equal(dialog.type(), "beforeunload");
  await Promise.all([page.waitForEvent("close"), dialog.accept()]);
  await page.context().close();
});

test("a chosen script includes what another tab has changed in the meantime", async () => {
  const one = await context.newPage();
  await context.open(one);
  await write(one, "-- version 1");
  await saved(one, "-- version 1");
  const other = await one.context().newPage();
  await context.open(other);
  await choose(other, /^Chat/);
  await openExamples(other);
  await write(one, "-- version 2");
  await saved(one, "-- version 2");
  await other.locator(".choice").filter({ hasText: "version 1" }).click();
  assert.equal(await script(other), "-- version 2");
  await one.context().close();
});

test("a new file is empty, whatever an earlier file of the same name contained", async () => {
  const { page } = context;
  await choose(page, /^Echo/);
  for (const source of ["-- of the first", "-- of the second"]) {
    await addFile(page, "util");
    assert.equal(await script(page), "local util = {}");
    await write(page, source);
    await saved(page, source);
    await choose(page, /^Echo/);
  }
});

test("a script that is too large for a link can be downloaded", async () => {
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
  assert.match(note, /Too large for a link/);
  await openShare(page);
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Download the files" }).click(),
  ]);
  assert.equal(download.suggestedFilename(), "main.luau");
  await page.context().close();
});

test("the skip link is not taken for a link to a script, and the keyboard closes a notice", async () => {
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

test("an embedded playground neither shows nor changes what the visitor wrote, and stores nothing", async () => {
  const { page } = context;
  await choose(page, /^Echo/);
  await write(page, "-- my own");
  await saved(page, "-- my own");
  const stored = () => page.evaluate(() => JSON.stringify(Object.entries(localStorage).sort()));
  const before = await stored();

  const embedded = await page.context().newPage();
  await embedded.setViewportSize({ width: 320, height: 240 });
  await embedded.clock.install();
  await context.open(embedded, "/?embed");
  assert(((await embedded.locator("#editor").boundingBox())?.height ?? 0) > 80);
  assert.notEqual(await script(embedded), "-- my own");
  await write(embedded, "-- in the embedded one");
  await embedded.clock.fastForward(10_000);
  await embedded.reload();
  await ready(embedded);
  assert.equal(await stored(), before);
  await embedded.close();
});

test("removing a file reports the missing module at once and changes no other file", async () => {
  const { page } = context;
  await choose(page, /^Echo/);
  for (const name of ["util", "other"]) {
    await addFile(page, name);
    await write(page, "return {}");
  }
  await page.getByRole("tab", { name: "main.luau" }).click();
  await write(page, "local util = require('./util')\nprint(util)");
  page.on("dialog", (dialog) => dialog.accept());
  await page.getByRole("tab", { name: "util.luau" }).getByText("×").click();
  assert.match(await script(page), /require/);
  await settled(page);
  await page.locator(".cm-lintRange-error").first().waitFor();
});

test("Ctrl+Enter in a message does not start a new run, which would lose it", async () => {
  const { page } = context;
  await run(page, "local ws = websocket.connect('ws://loopback/echo') print('open') task.wait(60)");
  await page.getByRole("log").getByText("open").waitFor();
  await page.locator("#sockets-tab").click();
  await page.getByRole("row", { name: /Open/ }).first().click();
  const row = await page.getByRole("row", { name: /Open/ }).first().elementHandle();
  await page.getByRole("textbox", { name: "Message to send" }).fill("by hand");
  await page.keyboard.press("Control+Enter");
  // A new run would remove this row before the key press returns, and then create another one.
  assert(await row?.isVisible());
});

test("the browser reports no problems", () => {
  assert.deepEqual(context.complaints, []);
});
