// The playground runs the documentation's example in a real browser, as a person would run it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { pageForTests } from "../server/browser.mjs";

/** @type {import("playwright-core").Page} */
let page;

const context = pageForTests("/www/", async (context) => {
  page = context.page;
  await page.getByRole("button", { name: "Run" }).and(page.locator(":enabled")).waitFor();
});

const output = () => page.getByRole("log").locator("span").allTextContents();

/** @param {string} text */
const shown = (text) => page.getByRole("log").getByText(text, { exact: true }).waitFor();

test("the documentation's example is there, and talks to the server of the page", async () => {
  assert.match(await page.getByRole("textbox").inputValue(), /websocket\.connect/);
  await page.getByRole("button", { name: "Run" }).click();
  await shown("Received:\tEcho: Hello from Luau!");
  assert.deepEqual((await output()).slice(0, 2), ["WebSocket connected!", "Received:\tHello from Luau!"]);
});

test("stop ends what runs and keeps the output", async () => {
  await page.getByRole("button", { name: "Stop" }).click();
  await shown("stopped");
  const before = await output();
  assert.equal(before[0], "WebSocket connected!");
  await page.waitForTimeout(1_500);
  assert.deepEqual(await output(), before);
});

test("an error is shown with its place", async () => {
  await page
    .getByRole("textbox")
    .fill('print("first")\nlocal function broken()\n  error("oops")\nend\nbroken()');
  await page.keyboard.press("Control+Enter");
  await shown("first");
  await page.getByText("✖ script:3: oops").waitFor();
  assert.match((await output()).join("\n"), /script:3 function broken\nscript:5/);
});

test("a script that prints without end leaves the page usable", async () => {
  await page.getByRole("textbox").fill("while true do print(os.clock()) task.wait() end");
  await page.getByRole("button", { name: "Run" }).click();
  await page.waitForTimeout(300);
  await page.getByRole("button", { name: "Stop" }).click({ timeout: 1_000 });
  await shown("stopped");
});

test("an endless loop leaves the page usable, and stop ends it", async () => {
  await page.getByRole("textbox").fill('print("begun")\nwhile true do end');
  await page.getByRole("button", { name: "Run" }).click();
  await shown("begun");
  // Frames are drawn, and clicks are answered, while it runs.
  const longest = await page.evaluate(async () => {
    let longest = 0;
    let last = performance.now();
    for (let frames = 0; frames < 30; frames++) {
      const now = await new Promise((resolve) => requestAnimationFrame(() => resolve(performance.now())));
      longest = Math.max(longest, now - last);
      last = now;
    }
    return longest;
  });
  assert(longest < 500, `a frame took ${longest} ms`);
  await page.getByRole("button", { name: "Stop" }).click({ timeout: 1_000 });
  await shown("stopped");
});

test("nothing of all this made the browser complain", () => {
  assert.deepEqual(context.complaints, []);
});
