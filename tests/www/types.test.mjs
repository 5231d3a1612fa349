// Types are checked while a person writes, in a worker that may be late, fail or be missing: what it says stands where it belongs, and
// when it has nothing to say any more, the page says so.

import assert from "node:assert/strict";
import { test } from "node:test";
import { run, siteForTests, status, write } from "./site.mjs";

const context = siteForTests();

/** @typedef {import("playwright-core").Page} Page */

/** @param {Page} page @param {string} state */
const checking = (page, state) =>
  page.locator(`#checking[data-state="${state}"]`).waitFor({ state: "attached", timeout: 60_000 });
/** @param {Page} page */
const underlined = (page) => page.locator(".cm-lintRange-error");

/** An error of types in its third line. */
const WRONG = "--!strict\n\nlocal n: number = 'text'\nprint(n)";
/** A real script on which the checker ends by a fault: its analysis is recursive, and this is deeper than its stack. */
const TRAP = `--!strict\nlocal x = 'a'${" .. 'a'".repeat(5_000)}`;

test("what is underlined moves with the text, and never to where it was before", async () => {
  const { page } = context;
  await write(page, WRONG);
  await checking(page, "on");
  await underlined(page).first().waitFor();
  // In which lines something is underlined, at each change of the page.
  await page.evaluate(() => {
    const root = /** @type {ShadowRoot} */ (document.querySelector("#editor")?.shadowRoot);
    /** @type {Set<string>} */
    const seen = new Set();
    const look = () => {
      for (const range of root.querySelectorAll(".cm-lintRange-error")) {
        seen.add(range.closest(".cm-line")?.textContent ?? "");
      }
    };
    new MutationObserver(look).observe(root, { subtree: true, childList: true, attributes: true });
    Object.assign(window, { seen });
  });
  await page.keyboard.press("Control+Home");
  for (let times = 0; times < 3; times++) {
    await page.keyboard.press("Enter");
    await page.waitForTimeout(400);
  }
  await page.waitForTimeout(1_000);
  assert.deepEqual(await page.evaluate(() => [.../** @type {any} */ (window).seen]), [
    "local n: number = 'text'",
  ]);
});

test("the checker begins anew after a fault, then rests until the next change, and says so", async () => {
  const page = await context.newPage({
    viewport: { width: 390, height: 844 },
    hasTouch: true,
    isMobile: true,
  });
  await context.open(page);
  await page.evaluate(() => {
    /** @type {string[]} */
    const states = [];
    const checking = /** @type {HTMLElement} */ (document.querySelector("#checking"));
    new MutationObserver(() => {
      if (checking.dataset.state !== states.at(-1)) {
        states.push(checking.dataset.state ?? "");
      }
    }).observe(checking, { attributes: true });
    Object.assign(window, { states });
  });
  await write(page, WRONG);
  await underlined(page).first().waitFor({ timeout: 60_000 });
  await write(page, TRAP);
  await checking(page, "off");
  assert.deepEqual(await page.evaluate(() => /** @type {any} */ (window).states.slice(-3)), [
    "on",
    "again",
    "off",
  ]);
  assert(await page.locator("#checking").isVisible(), "also on a phone");
  assert.match(
    await page.locator("#checking").innerText(),
    /off until the next change: .*failed on this script/,
  );
  // Nothing else suffers, and the next script is checked.
  await run(page, WRONG);
  await page.getByRole("log").getByText("text").waitFor();
  await page.getByRole("button", { name: "Script" }).tap();
  await checking(page, "on");
  await underlined(page).first().waitFor();
  await page.context().close();
});

test("after one fault too many nothing is underlined for good, and another script is checked again", async () => {
  const page = await context.newPage();
  await context.open(page);
  await write(page, WRONG);
  await underlined(page).first().waitFor({ timeout: 60_000 });
  await write(page, TRAP);
  await checking(page, "off");
  await page.keyboard.type(" ");
  await checking(page, "over");
  assert.match(await page.locator("#checking").innerText(), /^Type checking is off: /);
  await page.getByRole("button", { name: "Examples" }).click();
  await page.locator(".choice", { hasText: "Echo" }).first().click();
  assert.equal(await underlined(page).count(), 0);
  await checking(page, "on");
  await page.waitForTimeout(700);
  assert.equal(await underlined(page).count(), 0);
  await page.context().close();
});

test("Run does not wait for the checker, and is loaded before it", async () => {
  const page = await context.newPage();
  /** @type {string[]} */
  const asked = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  await page.route("**/luau-*.wasm", async (route) => {
    await page.waitForTimeout(1_500);
    await route.continue();
  });
  // It never comes.
  await page.route("**/checker_bg-*.wasm", () => {});
  await context.open(page);
  assert.deepEqual(
    asked.filter((path) => /checker/.test(path)),
    [],
  );
  await run(page, "print('without types')");
  await page.getByRole("log").getByText("without types").waitFor();
  await status(page, "Finished");
  await checking(page, "loading");
  await page.context().close();
});

test("where the checker cannot be loaded the page says so, and tries again when there is a network", async () => {
  const page = await context.newPage({ serviceWorkers: "block" });
  await context.open(page);
  await page.route("**/checker*", (route) => route.abort());
  await write(page, WRONG);
  await checking(page, "off");
  assert.match(await page.locator("#checking").innerText(), /could not be loaded/);
  await page.keyboard.press("Control+Enter");
  await page.getByRole("log").getByText("text").waitFor();
  await page.unroute("**/checker*");
  await page.context().setOffline(true);
  await page.waitForFunction(() => !navigator.onLine);
  await page.context().setOffline(false);
  await checking(page, "on");
  await underlined(page).first().waitFor({ timeout: 60_000 });
  await page.context().close();
});

test("the type of a variable is told under the pointer", async () => {
  const { page } = context;
  const source = "--!strict\nlocal function double(n: number) return n * 2 end";
  await write(page, `${source}\nlocal twice_as_much = double(2)\nprint(twice_as_much)`);
  await page.waitForTimeout(1_500);
  // In the middle of the name.
  await page.locator(".cm-line", { hasText: "print" }).hover({ position: { x: 100, y: 10 } });
  await page.locator(".cm-tooltip-hover").getByText("twice_as_much: number").waitFor();
  await page.mouse.move(0, 0);
});

test("nothing of all this made the browser complain of more than what was made to fail", () => {
  assert.deepEqual(
    context.complaints.filter((text) => !/ERR_FAILED|registration blocked/.test(text)),
    [],
  );
});
