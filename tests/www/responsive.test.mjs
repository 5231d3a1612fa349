// Nothing that a script does keeps the page from answering, and Stop ends all of it at once.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ask } from "../server/browser.mjs";
import { drawn, run, siteForTests, status } from "./site.mjs";

const context = siteForTests();

/** How long the page may take to answer, in milliseconds. */
const ANSWER = 100;

const BOMBS = {
  "an endless loop": "while true do end",
  "an endless loop in a coroutine": "coroutine.wrap(function() while true do end end)()",
  "an endless loop that catches everything": "while true do pcall(function() while true do end end) end",
  "string.rep": "while true do local text = string.rep('x', 100000000) end",
  "printing long lines": "local text = string.rep('x', 1000000) while true do print(text) end",
  "printing without end": "while true do print('again and again', 1, true) end",
  "printing tables": "local t = table.create(1000, { 1, 2, 3 }) while true do print(t) end",
  "deferring without end": "local function f() task.defer(f) end f() while true do task.wait() end",
  "a pathological pattern":
    "string.find(string.rep('a', 100000), string.rep('a?', 1000) .. string.rep('a', 1000))",
  "many errors": "while true do task.spawn(error, 'oops') end",
  "many connections":
    "for i = 1, 255 do task.spawn(function() local ws = websocket.connect('ws://loopback/echo') ws.OnMessage:Connect(function(m) ws:Send(m) end) ws:Send('x') end) end",
};

/**
 * How long the page takes to answer, in milliseconds: of twenty answers, one may take longer.
 *
 * @param {import("playwright-core").Page} page
 */
function slowAnswer(page) {
  return page.evaluate(async () => {
    const answers = [];
    const began = performance.now();
    for (let last = began; last - began < 1_200; last = performance.now()) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      answers.push(performance.now() - last);
    }
    answers.sort((a, b) => a - b);
    return answers[Math.floor(answers.length * 0.95)] ?? Number.POSITIVE_INFINITY;
  });
}

/** Bombs that are clicked at: the worker computes without a rest, takes and frees memory, or tells the page as much as it can. */
const CLICKED = {
  "an endless loop": BOMBS["an endless loop"],
  "string.rep of 50 MB at a time": "while true do pcall(string.rep, 'x', 50000000) end",
  "string.rep that grows until there is no more memory":
    "while true do pcall(function() local t = {} while true do table.insert(t, string.rep('x', 50000000)) end end) end",
  "printing without end": BOMBS["printing without end"],
  "printing tables, each another one":
    "local count = 0 while true do count += 1 print(table.create(1000, { count })) end",
};

/** How many clicks there are in an attempt. As of the answers above, one in twenty may take longer. */
const CLICKS = 20;

/**
 * Clicks through the browser's own input, as a person does, on what shows and hides a part of the page.
 *
 * @param {import("playwright-core").Page} page
 * @returns {Promise<number>} the time from a click until the frame after it is drawn, in milliseconds: that of the slowest but one
 */
async function slowClick(page) {
  await page.evaluate(() => {
    /** @type {number[]} */
    const answers = [];
    const onClick = (/** @type {MouseEvent} */ { timeStamp }) => {
      // In a task after the frame.
      requestAnimationFrame(() => setTimeout(() => answers.push(performance.now() - timeStamp)));
    };
    /** @type {any} */ (window).clicks?.stop();
    document.addEventListener("click", onClick, true);
    Object.assign(window, {
      clicks: { answers, stop: () => document.removeEventListener("click", onClick, true) },
    });
  });
  for (let click = 0; click < CLICKS; click++) {
    const box = await page.locator(click % 2 === 0 ? "#sockets-tab" : "#output-tab").boundingBox();
    await page.mouse.click((box?.x ?? 0) + 20, (box?.y ?? 0) + 15);
    await page.waitForTimeout(60);
  }
  await page.waitForFunction((count) => /** @type {any} */ (window).clicks.answers.length >= count, CLICKS);
  return page.evaluate(() => {
    /** @type {number[]} */
    const answers = /** @type {any} */ (window).clicks.answers;
    return answers.sort((a, b) => b - a)[1] ?? Number.POSITIVE_INFINITY;
  });
}

for (const [name, source] of Object.entries(CLICKED)) {
  test(`${name}: clicks by the browser's own input are answered within ${ANSWER} ms`, async (t) => {
    const { page } = context;
    let [slow, most] = [Number.POSITIVE_INFINITY, 0];
    // The best of three, for the same reason as below.
    for (let attempt = 0; attempt < 3 && slow >= most; attempt++) {
      // A machine that is too busy for the page alone cannot tell what the script adds to that: what it takes without one is added.
      const alone = await slowClick(page);
      most = alone < ANSWER / 2 ? ANSWER : ANSWER + alone;
      await run(page, source);
      await page.waitForTimeout(500);
      slow = await slowClick(page);
      t.diagnostic(`${slow.toFixed(1)} ms, and ${alone.toFixed(1)} ms while nothing runs`);
      assert.match(await page.locator("#status").innerText(), /^Running/);
      await page.locator("#stop").click();
      await status(page, "Stopped");
    }
    assert(slow < most, `clicks were answered after ${slow} ms`);
  });
}

for (const [name, source] of Object.entries(BOMBS)) {
  test(`${name}: clicks are answered, and Stop ends it`, async () => {
    const { page } = context;
    await run(page, source);
    await page.waitForTimeout(300);
    let slow = Number.POSITIVE_INFINITY;
    // The best of three: the machine of the tests has other things to do as well, and a page that is held up is so each time.
    for (let attempt = 0; attempt < 3 && slow >= ANSWER; attempt++) {
      slow = await slowAnswer(page);
    }
    assert(slow < ANSWER, `the page took ${slow} ms to answer`);
    if (await page.locator("#stop").isEnabled()) {
      await page.locator("#stop").click();
      await status(page, "Stopped");
    }
    await page
      .getByRole("log")
      .getByText("stopped")
      .or(page.locator("#status", { hasText: /Finished|Failed/ }))
      .first()
      .waitFor();
    await run(page, "print('alive')");
    await page.getByRole("log").getByText("alive").waitFor();
    await status(page, "Finished");
  });
}

test("what was put out before Stop is there afterwards", async () => {
  const { page } = context;
  await run(page, "print('first')\nwarn('second')\nwhile true do end");
  await page.getByRole("log").getByText("second").waitFor();
  await page.locator("#stop").click();
  await status(page, "Stopped");
  await drawn(page);
  const text = await page.getByRole("log").innerText();
  assert.match(text, /first[\s\S]*second[\s\S]*stopped/);
});

test("a script that never waits is seen whole, and Stop closes its sockets properly", async () => {
  const { page, port } = context;
  await run(
    page,
    `local ws = websocket.connect("ws://127.0.0.1:${port}/record?name=stopped")
     ws:Send("begun")
     for i = 1, 20000 do print("line", i) end
     while true do end`,
  );
  await page
    .getByRole("log")
    .getByText(/line\s+20000$/)
    .waitFor();
  await page.locator("#stop").click();
  await status(page, "Stopped");
  await page.getByRole("log").getByText("stopped").waitFor();
  assert.match(await page.getByRole("log").innerText(), /line\s+20000\n/);
  await page.waitForTimeout(200);
  // Without a code of its own; a worker that was ended would leave 1006.
  assert.deepEqual(await ask(context, "recorded?name=stopped"), ["begun", "closed 1005 "]);
});

test("a line tells what is still alive", async () => {
  const { page } = context;
  await run(
    page,
    "local ws = websocket.connect('ws://loopback/echo')\nws.OnMessage:Connect(print)\ntask.delay(60, print)\ntask.delay(60, print)",
  );
  await status(page, "Running: what the script began goes on");
  await page.locator("#alive", { hasText: /2 timers, 1 socket/ }).waitFor();
  await page.locator("#stop").click();
  await status(page, "Stopped");
  assert.equal(await page.locator("#alive").innerText(), "");
});

test("nothing of all this made the browser complain", () => {
  assert.deepEqual(context.complaints, []);
});
