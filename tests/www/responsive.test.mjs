// The page stays responsive whatever a script does, and Stop ends everything that the script has started.
//
// Tier: default; --full adds the other scripts, and a user who works with large amounts of output.
// Needs: a quiet machine.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ask } from "../server/browser.mjs";
import { isFull } from "../server/tier.mjs";
import { drawn, LARGE_MESSAGE, run, siteForTests, status, stop } from "./site.mjs";

const context = siteForTests();

/** @typedef {import("playwright-core").Page} Page */

/**
 * The longest time that the page may take to answer, in milliseconds. On a slow or busy machine the limits are
 * multiples of the time that the page needs for a fixed amount of work: see {@link workTime}.
 */
const ANSWER_MS = 100;

/**
 * The number of attempts for a measurement that is too slow. The machine may have been busy during one attempt, but a
 * blocked page is slow in each.
 */
const ATTEMPTS = 3;

/** Scripts that keep a worker, or the page, as busy as they can. */
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

/** The bombs of the default tier: one computes, one floods the page with output, and one with socket events. */
const DEFAULT_BOMBS = ["an endless loop", "printing tables", "many connections"];

/** Scripts that run while a user clicks: the worker computes, allocates and frees memory, or floods the page. */
const CLICK_SCRIPTS = {
  "an endless loop": BOMBS["an endless loop"],
  "string.rep of 50 MB at a time": "while true do pcall(string.rep, 'x', 50000000) end",
  "string.rep until memory runs out":
    "while true do pcall(function() local t = {} while true do table.insert(t, string.rep('x', 50000000)) end end) end",
  "printing without end": BOMBS["printing without end"],
  "printing a new table each time":
    "local count = 0 while true do count += 1 print(table.create(1000, { count })) end",
};
const DEFAULT_CLICK_SCRIPTS = ["printing without end"];

/**
 * Returns the scripts of the default tier, or with `--full` all scripts.
 *
 * @param {Record<string, string>} scripts
 * @param {string[]} names
 */
const ofTier = (scripts, names) => Object.entries(scripts).filter(([name]) => isFull || names.includes(name));

/**
 * Returns the time that the page needs for a fixed amount of work, in milliseconds: about 25 on a quiet machine. The
 * running script takes its share of the machine, so the result shows how much is left for the page. It is the
 * longest of five times, because the limits are for the slowest answers.
 *
 * @param {Page} page
 */
function workTime(page) {
  return page.evaluate(async () => {
    const times = [];
    for (let attempt = 0; attempt < 5; attempt++) {
      await new Promise((resolve) => setTimeout(resolve));
      const start = performance.now();
      let hash = 0;
      for (let step = 0; step < 15_000_000; step++) {
        hash = Math.imul(hash ^ step, 0x01000193);
      }
      // The hash is used, so that the loop is not optimized away.
      times.push(performance.now() - start + Math.min(0, hash & 0));
    }
    return Math.max(...times);
  });
}

/**
 * Repeats a measurement until the page is fast enough.
 *
 * @param {import("node:test").TestContext} t
 * @param {(attempt: number) => Promise<{ time: number, limit: number }>} measure in milliseconds
 */
async function assertFast(t, measure) {
  let [time, limit] = [Number.POSITIVE_INFINITY, 0];
  for (let attempt = 0; attempt < ATTEMPTS && time >= limit; attempt++) {
    ({ time, limit } = await measure(attempt));
    t.diagnostic(`${time.toFixed(1)} ms of ${limit.toFixed(1)} ms`);
  }
  assert(time < limit, `the page took ${time} ms, and at most ${limit} ms are allowed`);
}

/**
 * Returns the time that the page takes to answer, in milliseconds; one answer in twenty may take longer.
 *
 * @param {Page} page
 */
function answerTime(page) {
  return page.evaluate(async () => {
    const answers = [];
    const start = performance.now();
    for (let last = start; last - start < 800; last = performance.now()) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      answers.push(performance.now() - last);
    }
    answers.sort((a, b) => a - b);
    return answers[Math.floor(answers.length * 0.95)] ?? Number.POSITIVE_INFINITY;
  });
}

/**
 * Clicks on the tabs of the page's parts through the browser's own input, as a user does.
 *
 * @param {Page} page
 * @returns {Promise<number>} the time from a click until the next frame is drawn, in milliseconds: the second longest
 * of twenty
 */
async function clickTime(page) {
  await page.evaluate(() => {
    /** @type {number[]} */
    const answers = [];
    const onClick = (/** @type {MouseEvent} */ { timeStamp }) => {
      // Measured in a task after the frame.
      requestAnimationFrame(() => setTimeout(() => answers.push(performance.now() - timeStamp)));
    };
    /** @type {any} */ (window).clicks?.remove();
    document.addEventListener("click", onClick, true);
    Object.assign(window, {
      clicks: { answers, remove: () => document.removeEventListener("click", onClick, true) },
    });
  });
  for (let click = 1; click <= 20; click++) {
    const box = await page.locator(click % 2 === 0 ? "#output-tab" : "#sockets-tab").boundingBox();
    await page.mouse.click((box?.x ?? 0) + 20, (box?.y ?? 0) + 15);
    await page.waitForFunction((count) => /** @type {any} */ (window).clicks.answers.length >= count, click);
  }
  return page.evaluate(() => {
    /** @type {number[]} */
    const answers = /** @type {any} */ (window).clicks.answers;
    return answers.sort((a, b) => b - a)[1] ?? Number.POSITIVE_INFINITY;
  });
}

/**
 * Returns the longest time without an answer from the page during an action, in milliseconds.
 *
 * @param {Page} page
 * @param {() => Promise<unknown>} act
 */
async function longestPause(page, act) {
  await page.evaluate(() => {
    const pauses = { longest: 0, last: performance.now(), timer: 0 };
    pauses.timer = window.setInterval(() => {
      const now = performance.now();
      pauses.longest = Math.max(pauses.longest, now - pauses.last);
      pauses.last = now;
    }, 5);
    Object.assign(window, { pauses });
  });
  await act();
  return page.evaluate(() => {
    const { pauses } = /** @type {any} */ (window);
    clearInterval(pauses.timer);
    return Math.max(pauses.longest, performance.now() - pauses.last);
  });
}

for (const [name, source] of ofTier(CLICK_SCRIPTS, DEFAULT_CLICK_SCRIPTS)) {
  test(`${name}: the page answers clicks through the browser's own input`, async (t) => {
    const { page } = context;
    await assertFast(t, async () => {
      const alone = await clickTime(page);
      await run(page, source);
      await status(page, "Running");
      const time = await clickTime(page);
      const limit = Math.max(ANSWER_MS, 4 * (await workTime(page)) + alone);
      assert.match(await page.locator("#status").innerText(), /^Running/);
      await stop(page);
      return { time, limit };
    });
  });
}

for (const [name, source] of ofTier(BOMBS, DEFAULT_BOMBS)) {
  test(`${name}: the page answers, and Stop ends the script`, async (t) => {
    const { page } = context;
    await run(page, source);
    await status(page, /Running|Finished|Failed/);
    await assertFast(t, async () => {
      const time = await answerTime(page);
      return { time, limit: Math.max(ANSWER_MS, 4 * (await workTime(page))) };
    });
    // Some of the scripts may have ended by themselves.
    if (await page.locator('#stop[aria-disabled="false"]').isVisible()) {
      await stop(page);
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

for (const use of isFull ? ["print(t)", "return t", "error(t)"] : ["print(t)"]) {
  test(`${use}: the page answers while a table of a hundred thousand entries arrives`, async (t) => {
    const { page } = context;
    const source = `local t = {} for i = 1, 100000 do t['key' .. i] = 'value' .. i end ${use}`;
    await assertFast(t, async () => {
      const time = await longestPause(page, async () => {
        await run(page, source);
        await page.getByRole("log").getByText("99,9").first().waitFor();
      });
      return { time, limit: Math.max(250, 10 * (await workTime(page))) };
    });
  });
}

test("the page answers while a user jumps to both ends of a hundred thousand lines", {
  skip: !isFull && "for --full",
}, async (t) => {
  const { page } = context;
  const log = page.getByRole("log");
  await run(page, "for i = 1, 120000 do print('line', i) end print('the end')");
  await log.getByText("the end").waitFor({ timeout: 120_000 });
  await status(page, "Finished");
  await drawn(page);
  await assertFast(t, async () => {
    const time = await longestPause(page, async () => {
      await log.press("Home");
      await log
        .getByText(/line\s+2\d{4}$/)
        .first()
        .waitFor();
      await log.press("End");
      await log.getByText("the end").waitFor();
    });
    return { time, limit: Math.max(500, 20 * (await workTime(page))) };
  });
});

test("the page answers while a user reads and saves a message of many megabytes", {
  skip: !isFull && "for --full",
}, async (t) => {
  const { page } = context;
  await run(page, LARGE_MESSAGE);
  await page.locator("#sockets-tab").click();
  const sockets = page.locator("#sockets");
  await assertFast(t, async () => {
    const time = await longestPause(page, async () => {
      await sockets
        .getByRole("option")
        .filter({ hasText: /received.*12\.0 MB/s })
        .click();
      for (const button of [/Show more/, "Save", "Export"]) {
        const download = typeof button === "string" ? page.waitForEvent("download") : undefined;
        await sockets.getByRole("button", { name: button, exact: true }).click();
        // Waits for the end of the download. Its path is unknown if the browser belongs to another process.
        assert.equal((await (await download)?.failure()) ?? null, null);
      }
    });
    await sockets.getByRole("button", { name: "Close message" }).click();
    return { time, limit: Math.max(1_000, 40 * (await workTime(page))) };
  });
  await stop(page);
  await page.locator("#output-tab").click();
});

test("output from before Stop is still there afterwards", async () => {
  const { page } = context;
  await run(page, "print('first')\nwarn('second')\nwhile true do end");
  await page.getByRole("log").getByText("second").waitFor();
  await stop(page);
  await drawn(page);
  const text = await page.getByRole("log").innerText();
  assert.match(text, /first[\s\S]*second[\s\S]*stopped/);
});

test("one line lists the sockets and timers that are still alive", async () => {
  const { page } = context;
  await run(
    page,
    "local ws = websocket.connect('ws://loopback/echo')\nws.OnMessage:Connect(print)\ntask.delay(60, print)\ntask.delay(60, print)",
  );
  await page.locator('#status[data-state="waiting"]').waitFor();
  await page.locator("#alive", { hasText: /2 timers, 1 socket/ }).waitFor();
  await stop(page);
  assert.equal(await page.locator("#alive").innerText(), "");
});

test("all output of a script that never waits appears, and Stop closes its sockets properly", async () => {
  const { port } = context;
  const page = await context.newPage();
  // Installed before the page loads: later, the clock would jump.
  await page.clock.install();
  await context.open(page);
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
  // The page gives the script little time to stop by itself. With the clock stopped, a slow machine has enough time.
  await page.clock.pauseAt(Date.now() + 1_000);
  await stop(page);
  await page.clock.resume();
  await page.getByRole("log").getByText("stopped").waitFor();
  assert.match(await page.getByRole("log").innerText(), /line\s+20000\n/);
  /** @type {string[]} */
  let recorded = [];
  for (let attempt = 0; attempt < 400 && !recorded.at(-1)?.startsWith("closed"); attempt++) {
    // The server does not report when a connection has closed, so the test polls.
    await sleep(50);
    recorded = await ask(context, "recorded?name=stopped");
  }
  // 1005 means that the close frame had no code. A terminated worker would cause 1006.
  assert.deepEqual(recorded, ["begun", "closed 1005 "]);
  await page.context().close();
});

test("the browser reports no problems", () => {
  assert.deepEqual(context.complaints, []);
});
