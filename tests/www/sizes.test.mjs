// The playground keeps its layout and works with large amounts of anything: files, long addresses, large messages,
// lines and text.
//
// Tier: default; --full adds a text of megabytes.

import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateRawSync } from "node:zlib";
import { timesBelow } from "../ratio.mjs";
import { isFull } from "../server/tier.mjs";
import {
  LARGE_MESSAGE,
  openWithClipboard,
  ready,
  run,
  settled,
  siteForTests,
  status,
  stop,
  write,
} from "./site.mjs";

const context = siteForTests();

/**
 * Returns the path of a link to files.
 *
 * @param {[name: string, source: string][]} files
 */
function linkTo(files) {
  return `/#v1.${deflateRawSync(JSON.stringify({ v: 1, files })).toString("base64url")}`;
}

/**
 * Replaces the script with a text, all at once.
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
 * Returns true if the whole element is within another one.
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

for (const device of ["a desktop", "a phone"]) {
  test(`on ${device}, tabs of many files scroll, and the selected one is in view`, async () => {
    const { page } = context;
    await page.setViewportSize(
      device === "a phone" ? { width: 390, height: 844 } : { width: 1280, height: 720 },
    );
    await page.goto(`http://127.0.0.1:${context.port}${linkTo(TEN)}`);
    await page.reload();
    await ready(page);
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
    await page.setViewportSize({ width: 1280, height: 720 });
    await page.getByRole("tab", { name: "main.luau" }).click();
  });
}

test("an address of thousands of characters leaves room for everything else", async () => {
  const { page } = context;
  await run(
    page,
    `local ws = websocket.connect("ws://loopback/echo?" .. string.rep("x", 3000)) task.wait(60)`,
  );
  await page.locator("#sockets-tab").click();
  await page.locator("#sockets").getByRole("row", { name: /Open/ }).waitFor();
  assert(await isWithin(page.getByLabel("Message to send"), "#sockets"));
  assert(await isWithin(page.getByRole("listbox", { name: "Entries" }), "#sockets"));
  const row = await page.locator("#sockets").getByRole("row", { name: /Open/ }).boundingBox();
  assert((row?.height ?? 0) < 100, `the row is ${row?.height} pixels high`);
  await stop(page);
});

/** @type {ReturnType<typeof openWithClipboard> | undefined} */
let openedWithClipboard;

/** Returns the page that may use the clipboard. */
const withClipboard = () => {
  openedWithClipboard ??= openWithClipboard(context);
  return openedWithClipboard;
};

test("a frame of many megabytes is shown in part and saved whole", async () => {
  const { page } = await withClipboard();
  await run(page, LARGE_MESSAGE);
  await page.locator("#sockets-tab").click();
  const sockets = page.locator("#sockets");
  // The inspector has dropped the sent message to make room.
  const frame = sockets.getByRole("option").filter({ hasText: /received.*12\.0 MB/s });
  const content = sockets.getByRole("region", { name: "Message content" });
  await frame.click();
  await content.getByText("000000  ab ab").waitFor();
  const more = sockets.getByRole("button", { name: /Show more/ });
  const rest = sockets.getByText(/more are not shown\. Save the message/);
  // Each click is handled before it returns.
  for (let times = 0; times < 5 && (await more.isVisible()); times++) {
    await more.click();
  }
  assert.equal(await more.isVisible(), false);
  await rest.waitFor();
  await sockets.getByRole("button", { name: "Copy" }).click();
  await sockets.getByText("too long to copy").waitFor();
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

test("a frame of a megabyte is copied whole", async () => {
  const { page, copied } = await withClipboard();
  await run(
    page,
    `local ws = websocket.connect("ws://loopback/echo") ws:Send(string.rep("word ", 200000)) task.wait(60)`,
  );
  await page.locator("#sockets-tab").click();
  await page.locator("#sockets").getByRole("option").filter({ hasText: "1.0 MB" }).first().click();
  await page.locator("#sockets").getByRole("button", { name: "Copy" }).click();
  await page.locator("#sockets").getByText("Message copied.").waitFor({ state: "attached" });
  assert.equal((await copied()).length, 1_000_000);
});

test("a flood of lines is not read out but summed up", async () => {
  const { page } = context;
  await page.locator("#output-tab").click();
  await run(page, "for i = 1, 400 do print('line', i) if i % 10 == 0 then task.wait() end end");
  await page
    .locator("#output")
    .getByRole("status")
    .filter({ hasText: /^\d+ lines/ })
    .waitFor();
  await status(page, "Finished");
  assert.equal(await page.getByRole("log").getAttribute("aria-live"), "off");
  await run(page, "print('one') task.wait(0.2) print('two')");
  await page.getByRole("log").getByText("two").waitFor();
  assert.equal(await page.getByRole("log").getAttribute("aria-live"), "polite");
});

test("typing in a large text is as fast as in a small one", async () => {
  const page = await context.newPage();
  // The checker takes seconds for such a text and would compete with the keys for the processor.
  await page.route("**/checker-worker*", (route) => route.abort());
  await context.open(page);
  const line = "local function name(a, b) return a + b * 2 -- what it does, in words\nend\n";
  const median = async (/** @type {number} */ count) => {
    await paste(page, line.repeat(count));
    await settled(page);
    const times = [];
    for (const key of "-- letters") {
      const start = performance.now();
      await page.keyboard.type(key);
      times.push(performance.now() - start);
    }
    return times.sort((a, b) => a - b)[5] ?? 0;
  };
  const [large, small] = await timesBelow(4, async () => {
    const small = await median(2_000);
    return [await median(isFull ? 60_000 : 20_000), small];
  });
  assert(large < 4 * small, `${large} ms, and ${small} ms in the small one`);
  await page.context().close();
});

test("the browser complains about nothing but what a test made fail", () => {
  assert.deepEqual(
    context.complaints.filter((text) => !/ERR_FAILED/.test(text)),
    [],
  );
});

/** @param {import("playwright-core").Download} download */
async function sizeOf(download) {
  let size = 0;
  for await (const chunk of await download.createReadStream()) {
    size += chunk.length;
  }
  return size;
}
