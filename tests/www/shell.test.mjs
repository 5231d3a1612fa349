// The shell of the page (dialogs, buttons, tabs and keys) reacts to the user's actions, and its security policy is
// strict.
//
// Tier: default.

import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateRawSync } from "node:zlib";
import { timesBelow } from "../ratio.mjs";
import { openShare, run, siteForTests, status, tabTo, write } from "./site.mjs";

const context = siteForTests({ playground: false });

/** @typedef {import("playwright-core").Page} Page */

/** Returns the id of the focused element, or its tag. @param {Page} page */
const focused = (page) => page.evaluate(() => document.activeElement?.id || document.activeElement?.tagName);

test("a click beside a dialog closes it, and a drag that starts inside does not", async () => {
  const { page } = context;
  const dialog = page.locator("#share-dialog");
  await openShare(page);
  const box = await dialog.boundingBox();
  assert(box);
  // In its padding.
  await page.mouse.click(box.x + 5, box.y + box.height - 5);
  assert(await dialog.isVisible());
  // Selects the link by dragging past the edge of the dialog.
  const link = await page.locator("#share-link").boundingBox();
  assert(link);
  await page.mouse.move(link.x + 40, link.y + 10);
  await page.mouse.down();
  await page.mouse.move(box.x - 40, link.y + 10, { steps: 4 });
  await page.mouse.up();
  assert(await dialog.isVisible());
  await page.mouse.click(box.x - 40, link.y);
  assert.equal(await dialog.isVisible(), false);
});

test("Stop keeps the focus and its place, and has a keyboard shortcut", async () => {
  const { page } = context;
  await write(page, "print('begun') task.wait(60)");
  const place = async () => (await page.locator("#stop").boundingBox())?.x;
  const before = await place();
  await page.keyboard.press("Control+Enter");
  await status(page, "Running");
  await page.locator("#run", { hasText: "Run again" }).waitFor();
  assert.equal(await place(), before);
  await page.locator("#stop").focus();
  await page.keyboard.press("Enter");
  await status(page, "Stopped");
  assert.equal(await focused(page), "stop");
  await page.locator("#run").focus();
  await page.keyboard.press("Enter");
  await status(page, "Running");
  await page.keyboard.press("Control+.");
  await status(page, "Stopped");
});

test("the keyboard alone follows an error, moves the divider, reads and sends messages, and shares a link", async () => {
  const { page } = context;
  await write(
    page,
    `local ws = websocket.connect("ws://loopback/echo")
ws.OnMessage:Connect(print)
task.spawn(function() error("oops") end)
ws:Send("hello")`,
  );
  await page.keyboard.press("Control+Enter");
  await page.getByRole("log").getByText("oops").waitFor();
  await page.keyboard.press("Escape");
  await tabTo(page, "#divider");
  const width = await page.locator("#divider").getAttribute("aria-valuenow");
  await page.keyboard.press("ArrowLeft");
  assert.equal(Number(await page.locator("#divider").getAttribute("aria-valuenow")), Number(width) - 2);
  await tabTo(page, ".output-place");
  await page.keyboard.press("Enter");
  assert.match(await page.locator(".cm-activeLine").innerText(), /error\("oops"\)/);
  await page.keyboard.press("Escape");
  await tabTo(page, "#output-tab");
  await page.keyboard.press("ArrowRight");
  await tabTo(page, ".sockets-frames");
  await page.keyboard.press("End");
  await page.keyboard.press("ArrowUp");
  await page.locator(".sockets-detail", { hasText: "hello" }).waitFor();
  await page.keyboard.press("Escape");
  await page.locator(".sockets-detail").waitFor({ state: "hidden" });
  await tabTo(page, ".sockets-composer textarea");
  await page.keyboard.type("typed");
  await page.keyboard.press("Enter");
  await page
    .getByRole("option")
    .filter({ hasText: /received.*typed/s })
    .waitFor();
  await tabTo(page, "#stop");
  await page.keyboard.press("Enter");
  await status(page, "Stopped");
  await tabTo(page, "#share");
  await page.keyboard.press("Enter");
  await page.locator("#share-dialog[open]").waitFor();
  assert.match(await page.locator("#share-link").inputValue(), /#v1\./);
  await page.keyboard.press("Escape");
  assert.equal(await focused(page), "share");
  await page.locator("#output-tab").click();
});

test("a double click renames a tab", async () => {
  const { page } = context;
  await page.getByRole("tab", { name: "main.luau" }).dblclick();
  await page.getByLabel(/Name, such as/).fill("start");
  await page.getByRole("button", { name: "Rename" }).click();
  await page.getByRole("tab", { name: "start.luau" }).waitFor();
  await run(page, "error('oops')");
  await page.getByRole("log").getByText("start:1: oops").waitFor();
});

test("an error that arrives while the sockets are shown marks the tab of the output", async () => {
  const { page } = context;
  await page.locator("#sockets-tab").click();
  await run(page, "error('oops')");
  await page.locator("#output-tab[data-has-error]").waitFor();
  await page.locator("#output-tab").click();
  await page.locator("#output-tab:not([data-has-error])").waitFor();
});

test("a short link to an enormous number of brackets opens as fast as one to plain lines", async () => {
  const { page } = context;
  /** @param {string} line */
  const timeToOpen = async (line) => {
    const text = JSON.stringify({ v: 1, files: [["main", `${line}\n`.repeat(40_000)]] });
    const hash = `#v1.${deflateRawSync(text, { level: 9 }).toString("base64url")}`;
    assert(hash.length < 400);
    const start = performance.now();
    await page.goto(`http://127.0.0.1:${context.port}/${hash}`);
    await page.locator(".cm-line").getByText(line, { exact: true }).first().waitFor();
    await openShare(page);
    const time = performance.now() - start;
    await page.keyboard.press("Escape");
    return time;
  };
  const [brackets, plain] = await timesBelow(8, async () => {
    const plain = await timeToOpen("x");
    return [await timeToOpen("{"), plain];
  });
  assert(brackets < 8 * plain, `${brackets} ms, and ${plain} ms for plain lines`);
});

test("the content security policy allows the site's own files only", async () => {
  const page = await (await context.browser.newContext()).newPage();
  await context.open(page);
  await page.evaluate(() => {
    /** @type {Set<string>} */
    const violated = new Set();
    Object.assign(window, { violated });
    document.addEventListener("securitypolicyviolation", ({ effectiveDirective }) =>
      violated.add(effectiveDirective),
    );
    const inline = document.createElement("script");
    inline.textContent = "window.isExecuted = true";
    const foreign = document.createElement("script");
    foreign.src = "https://127.0.0.1:1/foreign.js";
    const style = document.createElement("style");
    style.textContent = "body { display: none }";
    const frame = document.createElement("iframe");
    frame.src = "/";
    const base = document.createElement("base");
    base.href = "https://127.0.0.1:1/";
    document.head.append(inline, foreign, style, base);
    document.body.append(frame);
    fetch("https://127.0.0.1:1/").catch(() => {});
    // In its own task, because code that Playwright runs may use eval.
    setTimeout(() => {
      // biome-ignore lint/security/noGlobalEval: the test checks that this fails
      globalThis.eval("window.isExecuted = true");
    });
  });
  const EXPECTED = [
    "base-uri",
    "connect-src",
    "frame-src",
    "script-src",
    "script-src-elem",
    "style-src-elem",
  ];
  await page.waitForFunction((count) => /** @type {any} */ (window).violated.size >= count, EXPECTED.length);
  assert.deepEqual(await page.evaluate(() => [.../** @type {any} */ (window).violated].sort()), EXPECTED);
  assert.equal(await page.evaluate(() => "isExecuted" in window), false);
  await page.context().close();
});

test("the browser reports no problems", () => {
  assert.deepEqual(context.complaints, []);
});
