// The output of a script can be read, searched and copied, whatever it contains and however much there is.
//
// Tier: default; --full prints a million lines instead of 120,000.

import assert from "node:assert/strict";
import { test } from "node:test";
import { isFull } from "../server/tier.mjs";
import { drawn, openWithClipboard, run, siteForTests, status, stop } from "./site.mjs";

const context = siteForTests();

/** @typedef {import("playwright-core").Page} Page */

const log = (page = context.page) => page.getByRole("log");
const rows = (page = context.page) => page.locator(".output-list .output-block .output-line");

test("a table of a hundred thousand entries is printed, returned and thrown as an excerpt", async () => {
  const { page } = context;
  const make = "local t = {} for i = 1, 100000 do t['key' .. i] = 'value' .. i end ";
  for (const [use, shown] of /** @type {const} */ ([
    ["print(t)", /\{.* … 99,9\d\d more\}$/],
    ["return t", /returned \{.* … 99,9\d\d more\}$/],
    ["error(t)", /main:1: thrown: \{.* … 99,9\d\d more\}$/],
  ])) {
    await run(page, make + use);
    await rows().filter({ hasText: shown }).waitFor();
  }
  await log().getByRole("button").click();
  await log()
    .getByRole("button", { name: /^entries 4901/ })
    .waitFor();
  await log().getByText("95,000 more not shown. Print part of the table to see them.").waitFor();
});

test("small tables are shown whole, with shared parts and cycles", async () => {
  const { page } = context;
  await run(
    page,
    "local t = { name = 'luau', list = { 1, 2 } } t.self = t print('config', t) print({}, setmetatable({ 1 }, { __tostring = function() return 'one' end }))",
  );
  await status(page, "Finished");
  await drawn(page);
  const [config = "", empty] = await rows().allInnerTexts();
  assert.match(config, /^config\s+\{.*name = "luau".*\}$/);
  assert.equal(empty, "{}\tone {1}");
  await log()
    .getByRole("button", { name: /config|name/ })
    .first()
    .click();
  await log().getByText("↺ the enclosing table").waitFor();
});

test("the filter and the copy buttons work on what the screen shows", async () => {
  const { page, copied } = await openWithClipboard(context);
  const copy = async (/** @type {string} */ name) => {
    await page.getByRole("button", { name, exact: true }).click();
    await page.locator(".output-note", { hasText: "Copied" }).waitFor();
    return copied();
  };
  await run(page, "print('config', { name = 'luau' }) print('other') warn({ 1 }) return { x = 1 }, 'text'");
  await status(page, "Finished");
  const all = 'config\t{name = "luau"}\nother\n{1}\nreturned {x = 1} "text"';
  assert.equal(await copy("Copy all"), all);
  await page.getByLabel("Filter the output by text").fill('NAME = "lu');
  await page.locator(".output-count", { hasText: "1 of 4 lines" }).waitFor();
  assert.equal(await rows(page).count(), 1);
  assert.equal(await copy("Copy these"), 'config\t{name = "luau"}');
  await page.getByLabel("Filter the output by text").fill("no such text");
  await page.getByText("No lines match the filter.").waitFor();
  await page.getByLabel("Filter the output by text").fill("");
  await page.getByLabel("Filter the output by kind").selectOption("Problems");
  await page.locator(".output-count", { hasText: "1 of 4 lines" }).waitFor();
  await page.context().close();
});

test("a thrown table is shown with its contents and a traceback", async () => {
  const { page } = context;
  await run(page, "local function fail()\n\terror({ code = 42 })\nend\nfail()");
  await status(page, "Failed");
  await drawn(page);
  const text = await log().innerText();
  assert.match(text, /main:2: thrown: .*\{code = 42\}/);
  assert.match(text, /main:4/);
  assert.doesNotMatch(text, /0x/);
  await log().getByRole("button", { name: "{code = 42}" }).click();
  await log().locator(".output-parts").getByText("42").waitFor();
});

test("a script that fails or does not compile is shown as failed", async () => {
  const { page } = context;
  for (const source of ["error('oops')", "local x = = 1"]) {
    await run(page, source);
    await status(page, "Failed");
    await drawn(page);
    // The message contains the place, so there is no traceback.
    assert.equal((await log().innerText()).match(/main:1/g)?.length, 1, source);
  }
  await run(page, "task.delay(0.1, print, 'later') error('oops')");
  await log().getByText("later").waitFor();
  await status(page, "Failed");
  await run(page, "print('fine')");
  await status(page, "Finished");
});

test("an error marks its line in the editor until the next edit", async () => {
  const { page } = context;
  await run(page, "print('first')\nerror('oops')\nprint('third')");
  await status(page, "Failed");
  const marked = page.locator(".cm-marked");
  assert.deepEqual(await marked.allInnerTexts(), ["error('oops')"]);
  await page.locator(".cm-content").click();
  await page.keyboard.type(" ");
  await marked.waitFor({ state: "detached" });
});

test("empty lines take up a row each", async () => {
  const { page } = context;
  await run(page, "print('a')\nprint('b\\n')\nprint('c\\n', 'd')\nprint('')");
  await status(page, "Finished");
  await drawn(page);
  const heights = await rows().evaluateAll((rows) => rows.map((row) => row.getBoundingClientRect().height));
  const [one = 0] = heights;
  assert.deepEqual(
    heights.map((height) => Math.round(height / one)),
    [1, 2, 2, 1],
  );
});

test("the newest hundred thousand lines are kept, and only a few of them are in the page", async () => {
  const { page } = context;
  const count = isFull ? 1_000_000 : 120_000;
  await run(page, `for i = 1, ${count} do print('line', i) end print('the end')`);
  await log().getByText("the end").waitFor({ timeout: 120_000 });
  await status(page, "Finished");
  await drawn(page);
  const counted = await page.locator(".output-count").innerText();
  const [kept = 0, dropped = 0] = (counted.match(/[\d,]+(?= (?:lines|earlier))/g) ?? []).map((text) =>
    Number(text.replaceAll(",", "")),
  );
  assert.equal(kept + dropped, count + 1, counted);
  assert(kept <= 100_000 && kept > 90_000, counted);
  assert((await rows().count()) < 1_000);
  await log().press("Home");
  // The first line that is kept.
  await log()
    .getByText(new RegExp(`line\\s+${dropped + 1}$`))
    .waitFor();
  await log().press("End");
  await log().getByText("the end").waitFor();
  await page.getByRole("button", { name: "Clear", exact: true }).first().click();
  await page.locator(".output-count", { hasText: /^0 lines$/ }).waitFor();
  assert.equal(await rows().count(), 0);
});

test("times count from the start of the run, even after the lines were cleared, and long rows wrap or not", async () => {
  const { page } = context;
  await run(page, "print(string.rep('long ', 200)) task.wait(0.3) print('second') task.wait(60)");
  await rows(page).filter({ hasText: "second" }).waitFor();
  const list = page.locator(".output-list");
  const isWide = () => list.evaluate((list) => list.scrollWidth > list.clientWidth);
  const lastTime = async () => {
    const text = await page.locator(".output-block .output-time").last().innerText();
    assert.match(text, /^\d+\.\d{3}$/);
    return Number(text);
  };
  assert.equal(await isWide(), false);
  await page.getByRole("button", { name: "Wrap" }).click();
  assert.equal(await isWide(), true);
  assert.equal(await page.locator(".output-block .output-time").first().isVisible(), false);
  await page.getByRole("button", { name: "Times" }).click();
  const second = await lastTime();
  assert(second >= 0.3, `${second} s`);
  await page.getByRole("button", { name: "Clear", exact: true }).first().click();
  await stop(page);
  await rows(page).filter({ hasText: "stopped" }).waitFor();
  assert((await lastTime()) > second);
  // The browser remembers both toggles.
  await page.reload();
  await page.locator("#run:enabled").waitFor();
  assert.equal(await page.getByRole("button", { name: "Wrap" }).getAttribute("aria-pressed"), "false");
  assert.equal(await page.getByRole("button", { name: "Times" }).getAttribute("aria-pressed"), "true");
});

test("the browser reports no problems", () => {
  assert.deepEqual(context.complaints, []);
});
