// A visitor's script survives a reload, travels in a link, and stays when the visitor opens an example or a link.
//
// Tier: default.

import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateRawSync } from "node:zlib";
import {
  addFile,
  openExamples,
  openShare,
  ready,
  run,
  saved,
  settled,
  siteForTests,
  status,
  write,
} from "./site.mjs";

const context = siteForTests();

/** @param {import("playwright-core").Page} page */
const script = (page) => page.locator(".cm-content").innerText();

/** @param {import("playwright-core").Page} page */
async function linkOf(page) {
  await openShare(page);
  const link = await page.getByLabel("Link", { exact: true }).inputValue();
  await page.keyboard.press("Escape");
  return link;
}

test("a script is still there after a reload", async () => {
  const { page } = context;
  await write(page, "print('kept')");
  await saved(page, "print('kept')");
  await page.reload();
  await ready(page);
  assert.equal((await script(page)).trim(), "print('kept')");
});

test("a link carries all files, and opening it does not run them", async () => {
  const { page } = context;
  await write(page, "local greet = require('./greet')\ngreet('from the link')");
  await addFile(page, "greet");
  await write(page, "return function(text) print('Hello ' .. text) end");
  const link = await linkOf(page);
  assert.match(link, /#v1\.[\w-]+$/);

  const visitor = await context.newPage();
  await visitor.goto(link);
  await ready(visitor);
  assert.match(await visitor.locator("#notice").innerText(), /came from the link/);
  assert.match(await script(visitor), /greet\('from the link'\)/);
  assert.equal(await visitor.getByRole("tab", { name: "greet.luau" }).count(), 1);
  // By now the page has done everything that it does by itself.
  await settled(visitor);
  assert.equal(await visitor.locator("#status").innerText(), "Ready");
  await visitor.getByRole("button", { name: "Run" }).click();
  await visitor.getByRole("log").getByText("Hello from the link").waitFor();
  await visitor.context().close();
});

test("visitors who open a link find their own scripts again", async () => {
  const visitor = await context.newPage();
  await context.open(visitor);
  await write(visitor, "print('my own')");
  await saved(visitor, "print('my own')");
  const link = await linkOf(context.page);
  // The browser does not reload the page: only the part of the address after the # changes.
  await visitor.goto(link);
  await visitor.locator("#notice").getByText("came from the link").waitFor();
  assert.doesNotMatch(await script(visitor), /my own/);
  await openExamples(visitor);
  await visitor.getByRole("button", { name: /^My script/ }).click();
  assert.match(await script(visitor), /my own/);
  // Each changed example is a script of its own and replaces no other.
  await openExamples(visitor);
  await visitor.getByRole("button", { name: /^Modules/ }).click();
  await write(visitor, "print('changed')");
  await openExamples(visitor);
  await visitor.getByRole("button", { name: /^Chat/ }).click();
  await write(visitor, "print('changed again')");
  await saved(visitor, "print('changed again')");
  await visitor.reload();
  await ready(visitor);
  assert.match(await script(visitor), /changed again/);
  for (const own of ["print('changed')", "print('my own')"]) {
    await openExamples(visitor);
    await visitor
      .getByRole("button", { name: /^My script/ })
      .filter({ hasText: own })
      .click();
    assert.equal((await script(visitor)).trim(), own);
  }
  await visitor.context().close();
});

test("two tabs with the same script do not overwrite each other", async () => {
  const one = await context.newPage();
  await context.open(one);
  await write(one, "print('both')");
  await saved(one, "print('both')");
  const other = await one.context().newPage();
  await context.open(other);
  assert.equal((await script(other)).trim(), "print('both')");
  await write(other, "print('of the other')");
  await saved(other, "print('of the other')");
  await write(one, "print('of the one')");
  await saved(one, "print('of the one')");
  for (const [tab, text] of /** @type {const} */ ([
    [one, "print('of the one')"],
    [other, "print('of the other')"],
  ])) {
    await tab.reload();
    await ready(tab);
    assert.equal((await script(tab)).trim(), text);
  }
  await one.context().close();
});

test("a damaged link or one of another version is reported and changes nothing", async () => {
  const visitor = await context.newPage();
  for (const [hash, message] of /** @type {const} */ ([
    ["#v1.q1bKTFGyUgIA", /incomplete or damaged/],
    ["#v9.abc", /another version/],
  ])) {
    await visitor.goto(`http://127.0.0.1:${context.port}/${hash}`);
    await ready(visitor);
    await visitor.locator("#notice").filter({ hasText: message }).waitFor();
    assert.match(await script(visitor), /WebSocket connected!/);
  }
  await run(visitor, "print('works')");
  await status(visitor, "Finished");
  await visitor.context().close();
});

/**
 * Returns the address of a link with this number of files.
 *
 * @param {number} count
 */
function linkWith(count) {
  const files = Array.from({ length: count }, (_, index) => [`file${index}`, ""]);
  const text = deflateRawSync(JSON.stringify({ v: 1, files })).toString("base64url");
  return `http://127.0.0.1:${context.port}/#v1.${text}`;
}

test("a link with more files than the page can show at once is refused", async () => {
  const visitor = await context.newPage();
  await visitor.goto(linkWith(101));
  await ready(visitor);
  const refusal = "The link cannot be opened: it has 101 files, but the maximum is 100.";
  await visitor.locator("#notice").getByText(refusal).waitFor();
  assert.match(await script(visitor), /WebSocket connected!/);
  assert.equal(await visitor.locator("#tabs").getByRole("tab").count(), 1);
  await visitor.context().close();
});

test("a script with as many files as there may be gets no further one", async () => {
  const visitor = await context.newPage();
  await visitor.goto(linkWith(100));
  await ready(visitor);
  const tabs = visitor.locator("#tabs").getByRole("tab");
  assert.equal(await tabs.count(), 100);
  await addFile(visitor, "another");
  assert.equal(
    await visitor.locator("#name-error").innerText(),
    "There are already 100 files, and the maximum is 100.",
  );
  await visitor.keyboard.press("Escape");
  assert.equal(await tabs.count(), 100);
  // Files can still be renamed.
  await visitor.getByRole("tab", { name: "file7.luau" }).focus();
  await visitor.keyboard.press("F2");
  await visitor.getByLabel(/Name, such as/).fill("seven");
  await visitor.getByRole("button", { name: "Rename" }).click();
  await visitor.getByRole("tab", { name: "seven.luau" }).waitFor();
  await visitor.context().close();
});

test("files are added, renamed and removed, and wrong names are refused", async () => {
  const { page } = context;
  await openExamples(page);
  await page.getByRole("button", { name: /^Echo/ }).click();
  await page.getByRole("button", { name: "New file" }).click();
  for (const [name, problem] of [
    ["", /A name is a path/],
    ["util.luau", /without an extension/],
    ["../up", /A name is a path/],
    ["main", /file named main already exists/],
  ]) {
    await page.getByLabel(/Name, such as/).fill(/** @type {string} */ (name));
    await page.getByRole("button", { name: "Create" }).click();
    assert.match(await page.locator("#name-error").innerText(), /** @type {RegExp} */ (problem));
  }
  await page.getByLabel(/Name, such as/).fill("util");
  await page.getByRole("button", { name: "Create" }).click();
  await write(page, "return 1");
  await page.getByRole("tab", { name: "util.luau" }).focus();
  await page.keyboard.press("F2");
  await page.getByLabel(/Name, such as/).fill("lib/util");
  await page.getByRole("button", { name: "Rename" }).click();
  await page.getByRole("tab", { name: "main.luau" }).click();
  await run(page, "print(require('./lib/util') + 1)");
  await page.getByRole("log").getByText("2", { exact: true }).waitFor();
  page.once("dialog", (dialog) => dialog.accept());
  await page.getByRole("tab", { name: "lib/util.luau" }).focus();
  await page.keyboard.press("Delete");
  await page.getByRole("tab", { name: "lib/util.luau" }).waitFor({ state: "detached" });
});

test("the browser reports no problems", () => {
  assert.deepEqual(context.complaints, []);
});
