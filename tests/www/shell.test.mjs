// The frame of the page keeps to what a person does: dialogs, buttons and keys; and to what it may do itself.

import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateRawSync } from "node:zlib";
import { run, siteForTests, status, tabTo, write } from "./site.mjs";

const context = siteForTests({ playground: false });

/** @typedef {import("playwright-core").Page} Page */

/** What has the focus, as its id. @param {Page} page */
const focused = (page) => page.evaluate(() => document.activeElement?.id || document.activeElement?.tagName);

test("a dialog closes by a click beside it, and by nothing that begins inside", async () => {
  const { page } = context;
  const dialog = page.locator("#share-dialog");
  await page.getByRole("button", { name: "Share" }).click();
  await page.locator("#share-dialog[open]").waitFor();
  const box = await dialog.boundingBox();
  assert(box);
  // Its padding.
  await page.mouse.click(box.x + 5, box.y + box.height - 5);
  assert(await dialog.isVisible());
  // A text is marked, past the edge.
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

test("Stop keeps the focus and its place, and there is a key for it", async () => {
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

test("with the keyboard alone an error is followed, a frame is read and sent, the divider is moved, and a link is shared", async () => {
  const page = await context.newPage();
  await context.open(page);
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
  // The link is made by a compressor that answers later.
  await page.waitForFunction(() => /** @type {any} */ (document.querySelector("#share-link")).value !== "");
  assert.match(await page.locator("#share-link").inputValue(), /#v1\./);
  await page.keyboard.press("Escape");
  assert.equal(await focused(page), "share");
  await page.context().close();
});

test("a double click renames a tab", async () => {
  const page = await context.newPage();
  await context.open(page);
  await page.getByRole("tab", { name: "main.luau" }).dblclick();
  await page.getByLabel(/Name, such as/).fill("start");
  await page.getByRole("button", { name: "Rename" }).click();
  await page.getByRole("tab", { name: "start.luau" }).waitFor();
  await run(page, "error('oops')");
  await page.getByRole("log").getByText("start:1: oops").waitFor();
  await page.context().close();
});

test("an error that comes while the sockets are shown is told on the tab of the output", async () => {
  const { page } = context;
  await run(page, "task.wait(0.5) error('oops')");
  await page.locator("#sockets-tab").click();
  await page.locator("#output-tab[data-news]").waitFor();
  await page.locator("#output-tab").click();
  await page.locator("#output-tab:not([data-news])").waitFor();
});

test("what is written in an embedded playground leaves nothing behind", async () => {
  const page = await context.newPage();
  await context.open(page, "/?embed");
  for (const source of ["-- one", "-- two"]) {
    await write(page, source);
    await page.waitForTimeout(500);
    await page.reload();
    await page.locator("#run:enabled").waitFor();
  }
  assert.deepEqual(await page.evaluate(() => Object.keys(localStorage)), []);
  await page.context().close();
});

test("a short link to brackets without end opens at once", async () => {
  const page = await context.newPage();
  const text = JSON.stringify({ v: 1, files: [["main", "{\n".repeat(40_000)]] });
  const hash = `#v1.${deflateRawSync(text, { level: 9 }).toString("base64url")}`;
  assert(hash.length < 400);
  const began = performance.now();
  await context.open(page, `/${hash}`);
  await page.getByRole("button", { name: "Share" }).click();
  await page.locator("#share-dialog[open]").waitFor();
  const took = performance.now() - began;
  assert(took < 10_000, `${took} ms`);
  await page.context().close();
});

test("the content security policy is strict: nothing but the site's own files is executed, and nothing else is asked", async () => {
  const page = await (await context.browser.newContext()).newPage();
  await context.open(page);
  const violated = await page.evaluate(async () => {
    /** @type {string[]} */
    const violated = [];
    document.addEventListener("securitypolicyviolation", ({ effectiveDirective }) =>
      violated.push(effectiveDirective),
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
    // Later, since what the tests execute themselves may do it.
    setTimeout(() => {
      // biome-ignore lint/security/noGlobalEval: that it does not work is what is tested
      globalThis.eval("window.isExecuted = true");
    });
    await fetch("https://127.0.0.1:1/").catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 200));
    return { directives: [...new Set(violated)].sort(), isExecuted: "isExecuted" in window };
  });
  assert.equal(violated.isExecuted, false);
  assert.deepEqual(violated.directives, [
    "base-uri",
    "connect-src",
    "frame-src",
    "script-src",
    "script-src-elem",
    "style-src-elem",
  ]);
  await page.context().close();
});

test("nothing of all this made the browser complain", () => {
  assert.deepEqual(context.complaints, []);
});
