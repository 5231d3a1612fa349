// What a visitor wrote stays: over a reload, in a link, and when an example or somebody else's link is opened.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ready, run, siteForTests, status, write } from "./site.mjs";

const context = siteForTests();

/** @param {import("playwright-core").Page} page */
const script = (page) => page.locator(".cm-content").innerText();

/** @param {import("playwright-core").Page} page */
async function linkOf(page) {
  await page.getByRole("button", { name: "Share" }).click();
  await page.locator("#share-dialog[open]").waitFor();
  const link = await page.getByLabel("Link", { exact: true }).inputValue();
  await page.keyboard.press("Escape");
  return link;
}

test("a script is there again after a reload", async () => {
  const { page } = context;
  await write(page, "print('kept')");
  await page.waitForTimeout(500);
  await page.reload();
  await ready(page);
  assert.equal((await script(page)).trim(), "print('kept')");
});

test("a link carries all files, and opening it runs nothing", async () => {
  const { page } = context;
  await write(page, "local greet = require('./greet')\ngreet('from the link')");
  await page.getByRole("button", { name: "New file" }).click();
  await page.getByLabel(/Name, such as/).fill("greet");
  await page.getByRole("button", { name: "Create" }).click();
  await write(page, "return function(text) print('Hello ' .. text) end");
  const link = await linkOf(page);
  assert.match(link, /#v1\.[\w-]+$/);

  const visitor = await context.newPage();
  await visitor.goto(link);
  await ready(visitor);
  assert.match(await visitor.locator("#notice").innerText(), /came with the link/);
  assert.match(await script(visitor), /greet\('from the link'\)/);
  assert.equal(await visitor.getByRole("tab", { name: "greet.luau" }).count(), 1);
  await visitor.waitForTimeout(500);
  assert.equal(await visitor.locator("#status").innerText(), "Ready");
  await visitor.getByRole("button", { name: "Run" }).click();
  await visitor.getByRole("log").getByText("Hello from the link").waitFor();
  await visitor.close();
});

test("who opens a link finds the own script again", async () => {
  const visitor = await context.newPage();
  await context.open(visitor);
  await write(visitor, "print('my own')");
  await visitor.waitForTimeout(500);
  const link = await linkOf(context.page);
  // The page stays: only the part of its address after the # is another.
  await visitor.goto(link);
  await visitor.locator("#notice").getByText("came with the link").waitFor();
  assert.doesNotMatch(await script(visitor), /my own/);
  await visitor.getByRole("button", { name: "Examples" }).click();
  await visitor.getByRole("button", { name: /^My script/ }).click();
  assert.match(await script(visitor), /my own/);
  // A changed example is a script of its own: none takes the place of another.
  await visitor.getByRole("button", { name: "Examples" }).click();
  await visitor.getByRole("button", { name: /^Modules/ }).click();
  await write(visitor, "print('changed')");
  await visitor.getByRole("button", { name: "Examples" }).click();
  await visitor.getByRole("button", { name: /^Chat/ }).click();
  await write(visitor, "print('changed again')");
  await visitor.waitForTimeout(500);
  await visitor.reload();
  await ready(visitor);
  assert.match(await script(visitor), /changed again/);
  for (const own of ["print('changed')", "print('my own')"]) {
    await visitor.getByRole("button", { name: "Examples" }).click();
    await visitor
      .getByRole("button", { name: /^My script/ })
      .filter({ hasText: own })
      .click();
    assert.equal((await script(visitor)).trim(), own);
  }
  await visitor.close();
});

test("two tabs with the same script do not overwrite each other", async () => {
  const one = await context.newPage();
  await context.open(one);
  await write(one, "print('both')");
  await one.waitForTimeout(500);
  const other = await one.context().newPage();
  await context.open(other);
  assert.equal((await script(other)).trim(), "print('both')");
  await write(other, "print('of the other')");
  await other.waitForTimeout(500);
  await write(one, "print('of the one')");
  await one.waitForTimeout(500);
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

for (const [what, hash, message] of [
  ["a link that is cut short", "#v1.q1bKTFGyUgIA", /cut short or damaged/],
  ["a link of another version", "#v9.abc", /another version/],
]) {
  test(`${what} says so, and shows what was there`, async () => {
    const visitor = await context.newPage();
    await context.open(visitor, `/${hash}`);
    assert.match(await visitor.locator("#notice").innerText(), /** @type {RegExp} */ (message));
    await run(visitor, "print('works')");
    await status(visitor, "Finished");
    await visitor.close();
  });
}

test("files are added, renamed and removed, by their rules", async () => {
  const page = await context.newPage();
  await context.open(page);
  await page.getByRole("button", { name: "New file" }).click();
  for (const [name, problem] of [
    ["", /A name is a path/],
    ["util.luau", /without an extension/],
    ["../up", /A name is a path/],
    ["main", /a file main already/],
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
  await page.close();
});

test("nothing of all this made the browser complain", () => {
  assert.deepEqual(context.complaints, []);
});
