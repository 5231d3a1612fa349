// However much there is of something, the playground keeps its form, and answers.

import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateRawSync } from "node:zlib";
import { longestPause, run, siteForTests, status, write } from "./site.mjs";

const context = siteForTests();

/**
 * A new page with files, as somebody's link opens it.
 *
 * @param {[name: string, source: string][]} files
 * @param {import("playwright-core").BrowserContextOptions} [options]
 */
async function pageOf(files, options) {
  const page = await context.newPage(options);
  const text = JSON.stringify({ v: 1, files });
  await context.open(page, `/#v1.${deflateRawSync(text).toString("base64url")}`);
  return page;
}

/**
 * Puts a text in the place of the script, all at once.
 *
 * @param {import("playwright-core").Page} page
 * @param {string} text
 */
async function paste(page, text) {
  await write(page, "");
  await page.locator(".cm-content").evaluate((element, text) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", text);
    element.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
  }, text);
  await page.keyboard.press("Control+End");
}

/** @param {import("playwright-core").Page} page */
const overflow = (page) => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);

/**
 * Whether all of it can be seen.
 *
 * @param {import("playwright-core").Locator} locator
 */
async function isWithin(locator, within = "body") {
  return locator.evaluate((element, within) => {
    const { left, right, top, bottom } = element.getBoundingClientRect();
    const outer = /** @type {Element} */ (document.querySelector(within)).getBoundingClientRect();
    return (
      right > left &&
      left >= outer.left - 1 &&
      right <= outer.right + 1 &&
      top >= outer.top - 1 &&
      bottom <= outer.bottom + 1
    );
  }, within);
}

const NAMES = ["main", ...Array.from({ length: 8 }, (_, index) => `lib/module${index}`), "x".repeat(120)];
/** @type {[string, string][]} */
const TEN = NAMES.map((name) => [name, "print('text')"]);

for (const [device, options] of /** @type {const} */ ([
  ["a desktop", { viewport: { width: 1280, height: 800 } }],
  ["a phone", { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }],
])) {
  test(`on ${device}, tabs of many files scroll, and the one that is chosen is in view`, async () => {
    const page = await pageOf(TEN, options);
    const last = page.getByRole("tab", { name: `${NAMES.at(-1)}.luau` });
    assert.equal(await overflow(page), 0);
    assert(await isWithin(page.locator("#add")));
    assert(await isWithin(page.getByRole("tab", { name: "main.luau" }), ".files"));
    await page.getByRole("tab", { name: "main.luau" }).focus();
    await page.keyboard.press("End");
    assert.equal(await last.getAttribute("aria-selected"), "true");
    assert(await isWithin(last, ".files"));
    await page.locator("#run").click();
    await page.getByRole("log").getByText("text").waitFor();
    if (await page.getByRole("button", { name: "Script" }).isVisible()) {
      await page.getByRole("button", { name: "Script" }).click();
    }
    assert(await isWithin(last, ".files"));
    assert.equal(await overflow(page), 0);
    await page.context().close();
  });
}

test("an address of thousands of characters leaves room for all else", async () => {
  const { page } = context;
  await run(page, `websocket.connect("ws://loopback/echo?" .. string.rep("x", 3000)) task.wait(60)`);
  await page.locator("#sockets-tab").click();
  await page.locator("#sockets").getByRole("row", { name: /Open/ }).waitFor();
  assert(await isWithin(page.getByLabel("Message to send by hand"), "#sockets"));
  assert(await isWithin(page.getByRole("listbox", { name: "Frames" }), "#sockets"));
  const row = await page.locator("#sockets").getByRole("row", { name: /Open/ }).boundingBox();
  assert((row?.height ?? 0) < 100, `the row is ${row?.height} pixels high`);
  await page.locator("#stop").click();
});

test("a frame of many megabytes is shown in part, and saved whole", async () => {
  const page = await pageOf(
    [
      [
        "main",
        `local ws = websocket.connect("ws://loopback/echo")
         local bytes = buffer.create(12000000)
         buffer.fill(bytes, 0, 0xab)
         ws:Send(bytes)
         print("sent")
         task.wait(60)`,
      ],
    ],
    { permissions: ["clipboard-read", "clipboard-write"] },
  );
  await page.locator("#run").click();
  await page.locator("#sockets-tab").click();
  const sockets = page.locator("#sockets");
  // What was sent makes room for it.
  const frame = sockets.getByRole("option").filter({ hasText: /received.*12\.0 MB/s });
  const content = sockets.getByRole("region", { name: "Content of the frame" });
  const pause = await longestPause(page, async () => {
    await frame.click();
    await content.getByText("000000  ab ab").waitFor();
    const more = sockets.getByRole("button", { name: /Show more/ });
    for (let times = 0; times < 5 && (await more.isVisible()); times++) {
      await more.click();
      await page.waitForTimeout(50);
    }
    assert.equal(await more.isVisible(), false);
    await sockets.getByText(/is not shown: save the frame/).waitFor();
    await sockets.getByRole("button", { name: "Copy" }).click();
    await sockets.getByText("too long to be copied").waitFor();
    const downloads = [];
    for (const button of ["Save", "Export"]) {
      const download = page.waitForEvent("download");
      await sockets.getByRole("button", { name: button, exact: true }).click();
      downloads.push(await download);
    }
    const [saved, exported] = await Promise.all(downloads.map(sizeOf));
    assert.equal(saved, 12_000_000);
    assert((exported ?? 0) > 36_000_000, `${exported} bytes`);
  });
  assert(pause < 1_000, `the page did not answer for ${pause} ms`);
  await page.context().close();
});

test("a frame of a megabyte is copied whole", async () => {
  const page = await pageOf(
    [["main", `websocket.connect("ws://loopback/echo"):Send(string.rep("word ", 200000)) task.wait(60)`]],
    { permissions: ["clipboard-read", "clipboard-write"] },
  );
  await page.locator("#run").click();
  await page.locator("#sockets-tab").click();
  await page.locator("#sockets").getByRole("option").filter({ hasText: "1.0 MB" }).first().click();
  await page.locator("#sockets").getByRole("button", { name: "Copy" }).click();
  await page.locator("#sockets").getByText("The frame is copied.").waitFor({ state: "attached" });
  assert.equal(await page.evaluate(async () => (await navigator.clipboard.readText()).length), 1_000_000);
  await page.context().close();
});

test("a flood of lines is not read out, but summed up", async () => {
  const { page } = context;
  await page.locator("#output-tab").click();
  await run(page, "for i = 1, 300 do print('line', i) task.wait(0.02) end");
  const log = page.getByRole("log");
  await log.getByText(/line\s+60$/).waitFor();
  assert.equal(await log.getAttribute("aria-live"), "off");
  await page
    .locator("#output")
    .getByRole("status")
    .filter({ hasText: /^\d+ lines/ })
    .waitFor();
  await status(page, "Finished");
  await run(page, "print('one') task.wait(1) print('two')");
  await log.getByText("two").waitFor();
  assert.equal(await log.getAttribute("aria-live"), "polite");
});

test("keys in a text of megabytes are as quick as in a short one", async () => {
  const { page } = context;
  const line = "local function name(a, b) return a + b * 2 -- what it does, in words\nend\n";
  const median = async (/** @type {number} */ count) => {
    await paste(page, line.repeat(count));
    // What is checked of it is not part of this.
    await page.waitForTimeout(3_000);
    const times = [];
    for (const key of "-- letters") {
      const began = performance.now();
      await page.keyboard.type(key);
      times.push(performance.now() - began);
    }
    return times.sort((a, b) => a - b)[5] ?? 0;
  };
  const short = await median(3_000);
  const long = await median(60_000);
  await write(page, "");
  assert(long < 4 * short, `${long} ms, and ${short} ms in the short one`);
});

test("nothing of all this made the browser complain", () => {
  assert.deepEqual(context.complaints, []);
});

/** @param {import("playwright-core").Download} download */
async function sizeOf(download) {
  let size = 0;
  for await (const chunk of await download.createReadStream()) {
    size += chunk.length;
  }
  return size;
}
