// Types are checked while the user types, in a worker that may be late, fail or be missing. Its results stay at their
// places, and the page reports when there are none.
//
// Tier: default.

import assert from "node:assert/strict";
import { test } from "node:test";
import { openExamples, ready, run, settled, siteForTests, status, write } from "./site.mjs";

const context = siteForTests();

/** @typedef {import("playwright-core").Page} Page */

/** @param {Page} page @param {string} state */
const checking = (page, state) =>
  page.locator(`#checking[data-state="${state}"]`).waitFor({ state: "attached", timeout: 60_000 });
/** @param {Page} page */
const underlined = (page) => page.locator(".cm-lintRange-error");

/** A script with a type error in its third line. */
const WRONG = "--!strict\n\nlocal n: number = 'text'\nprint(n)";
/** A script that makes the checker trap: it analyzes expressions recursively, and this one is deeper than its stack. */
const TRAP = `--!strict\nlocal x = 'a'${" .. 'a'".repeat(5_000)}`;

test("an underlined error moves with the text and never jumps back", async () => {
  const { page } = context;
  await write(page, WRONG);
  await checking(page, "on");
  await underlined(page).first().waitFor();
  // Collects the lines that are underlined after any change of the page.
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
    // The next key comes after the syntax check and usually before the type check.
    await page.locator('body:not([data-pending*="syntax"])').waitFor({ state: "attached" });
  }
  await settled(page);
  assert.deepEqual(await page.evaluate(() => [.../** @type {any} */ (window).seen]), [
    "local n: number = 'text'",
  ]);
});

test("the checker restarts after a fault, pauses after a second one until the next change, and says so", async () => {
  const { page } = context;
  await page.setViewportSize({ width: 390, height: 844 });
  await page.evaluate(() => {
    const checking = /** @type {HTMLElement} */ (document.querySelector("#checking"));
    const states = [checking.dataset.state];
    new MutationObserver(() => {
      if (checking.dataset.state !== states.at(-1)) {
        states.push(checking.dataset.state);
      }
    }).observe(checking, { attributes: true });
    Object.assign(window, { states });
  });
  await write(page, WRONG);
  await underlined(page).first().waitFor({ timeout: 60_000 });
  await write(page, TRAP);
  await checking(page, "paused");
  assert.deepEqual(await page.evaluate(() => /** @type {any} */ (window).states.slice(-3)), [
    "on",
    "restarting",
    "paused",
  ]);
  assert(await page.locator("#checking").isVisible(), "it is hidden on the phone");
  assert.match(
    await page.locator("#checking").innerText(),
    /off until the next change: .*failed on this script/,
  );
  // Scripts run as before, and the next one is checked.
  await run(page, WRONG);
  await page.getByRole("log").getByText("text").waitFor();
  await page.getByRole("button", { name: "Script" }).click();
  await checking(page, "on");
  await underlined(page).first().waitFor();
  await page.setViewportSize({ width: 1280, height: 720 });
});

test("after a third fault the checker is off until another script is opened", async () => {
  const { page } = context;
  await write(page, WRONG);
  await underlined(page).first().waitFor({ timeout: 60_000 });
  await write(page, TRAP);
  await checking(page, "paused");
  await page.keyboard.type(" ");
  await checking(page, "disabled");
  assert.match(await page.locator("#checking").innerText(), /^Type checking is off: /);
  await openExamples(page);
  await page.locator(".choice", { hasText: "Echo" }).first().click();
  assert.equal(await underlined(page).count(), 0);
  await checking(page, "on");
  await settled(page);
  assert.equal(await underlined(page).count(), 0);
});

test("what Run needs is loaded before the checker, and Run does not wait for the checker", async () => {
  const page = await context.newPage();
  await page.clock.install();
  /** @type {string[]} */
  const requested = [];
  page.on("request", (request) => requested.push(new URL(request.url()).pathname));
  /** @type {(value?: unknown) => void} */
  let release = () => {};
  const released = new Promise((resolve) => {
    release = resolve;
  });
  await page.route("**/luau-*.wasm", async (route) => {
    await released;
    await route.continue();
  });
  // The checker never arrives.
  await page.route("**/checker_bg-*.wasm", () => {});
  await page.goto(`http://127.0.0.1:${context.port}/`);
  await page.locator(".cm-content").waitFor();
  // All work that the page has delayed so far happens at once.
  await page.clock.fastForward(60_000);
  await page.clock.fastForward(60_000);
  assert.equal(await page.locator("#run").isEnabled(), false);
  assert.deepEqual(
    requested.filter((path) => /checker/.test(path)),
    [],
  );
  release();
  await ready(page);
  await run(page, "print('without types')");
  await page.getByRole("log").getByText("without types").waitFor();
  await status(page, "Finished");
  await checking(page, "loading");
  await page.context().close();
});

test("the page says when the checker cannot be loaded, and tries again once there is a network", async () => {
  const page = await context.newPage({ serviceWorkers: "block" });
  await context.open(page);
  await page.route("**/checker*", (route) => route.abort());
  await write(page, WRONG);
  await checking(page, "paused");
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

test("the type of a variable appears under the pointer", async () => {
  const page = await context.newPage();
  await page.clock.install();
  await context.open(page);
  const source = "--!strict\nlocal function double(n: number) return n * 2 end";
  await write(page, `${source}\nlocal twice_as_much = double(2)\nprint(twice_as_much)`);
  await settled(page);
  // The page gives the checker little time to answer. The clock is stopped, so that a slow machine has enough of it.
  await page.clock.pauseAt(Date.now() + 1_000);
  // In the middle of the name.
  await page.locator(".cm-line", { hasText: "print" }).hover({ position: { x: 100, y: 10 } });
  await page.clock.runFor(400);
  await page.locator(".cm-tooltip-hover").getByText("twice_as_much: number").waitFor();
  await page.context().close();
});

test("the browser complains about nothing but what the tests made fail", () => {
  assert.deepEqual(
    context.complaints.filter((text) => !/ERR_FAILED|registration blocked/.test(text)),
    [],
  );
});
