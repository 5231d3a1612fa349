// The page stays responsive whatever a script does, and Stop ends everything that the script has started.
//
// Tier: default; --full adds the other scripts, and what a person does with large amounts of output.
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
 * How long the page may take to answer, in milliseconds. On a machine that is slow or has other things to do, the limits are multiples
 * of what the page needs at the same time for a fixed amount of work: see {@link workTime}.
 */
const ANSWER_MS = 100;

/** How often a measurement is repeated when it is too slow: the machine may have been busy, and a page that is held up is so each time. */
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

/** The bombs of the default tier: one computes, one floods the page with output, one floods it with socket events. */
const DEFAULT_BOMBS = ["an endless loop", "printing tables", "many connections"];

/** Scripts during which a person clicks: the worker computes, takes and frees memory, or floods the page with output. */
const CLICKED = {
  "an endless loop": BOMBS["an endless loop"],
  "string.rep of 50 MB at a time": "while true do pcall(string.rep, 'x', 50000000) end",
  "string.rep that grows until there is no more memory":
    "while true do pcall(function() local t = {} while true do table.insert(t, string.rep('x', 50000000)) end end) end",
  "printing without end": BOMBS["printing without end"],
  "printing tables, each another one":
    "local count = 0 while true do count += 1 print(table.create(1000, { count })) end",
};
const DEFAULT_CLICKED = ["printing without end"];

/**
 * Returns those of the default tier, or with `--full` all.
 *
 * @param {Record<string, string>} scripts
 * @param {string[]} names
 */
const ofTier = (scripts, names) => Object.entries(scripts).filter(([name]) => isFull || names.includes(name));

/**
 * Returns how long the page needs for a fixed amount of work, in milliseconds: about 25 on a quiet machine. The script that runs takes
 * its share of the machine as well, so that this tells how much of it is left for the page. The limits are for the slowest answers, so
 * that this is the slowest of five times.
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
 * Measures until the page is as fast as it should be.
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
 * Returns how long the page takes to answer, in milliseconds: one answer in twenty may take longer.
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
 * Clicks through the browser's own input, as a person does, on the tabs that show a part of the page.
 *
 * @param {Page} page
 * @returns {Promise<number>} the time from a click until the next frame is drawn, in milliseconds: the second longest of twenty
 */
async function clickTime(page) {
  await page.evaluate(() => {
    /** @type {number[]} */
    const answers = [];
    const onClick = (/** @type {MouseEvent} */ { timeStamp }) => {
      // In a task after the frame.
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
 * Returns the longest time in which the page did not answer while something was done, in milliseconds.
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

for (const [name, source] of ofTier(CLICKED, DEFAULT_CLICKED)) {
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
    // One of them may have ended by itself.
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

test("the page answers while a person goes to both ends of a hundred thousand lines", {
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

test("the page answers while a person reads and saves a message of many megabytes", {
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
        // Waits for the end. The path is not known where the browser is another process's.
        assert.equal((await (await download)?.failure()) ?? null, null);
      }
    });
    await sockets.getByRole("button", { name: "Close message" }).click();
    return { time, limit: Math.max(1_000, 40 * (await workTime(page))) };
  });
  await stop(page);
  await page.locator("#output-tab").click();
});

test("what was printed before Stop is there afterwards", async () => {
  const { page } = context;
  await run(page, "print('first')\nwarn('second')\nwhile true do end");
  await page.getByRole("log").getByText("second").waitFor();
  await stop(page);
  await drawn(page);
  const text = await page.getByRole("log").innerText();
  assert.match(text, /first[\s\S]*second[\s\S]*stopped/);
});

test("one line says what is still alive", async () => {
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
  // On a loaded page its time would jump.
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
  // The page gives the script little time to stop by itself. That time stands still, so that a slow machine has enough of it.
  await page.clock.pauseAt(Date.now() + 1_000);
  await stop(page);
  await page.clock.resume();
  await page.getByRole("log").getByText("stopped").waitFor();
  assert.match(await page.getByRole("log").innerText(), /line\s+20000\n/);
  /** @type {string[]} */
  let recorded = [];
  for (let attempt = 0; attempt < 400 && !recorded.at(-1)?.startsWith("closed"); attempt++) {
    // The server does not say when a connection has closed: it has to be asked again.
    await sleep(50);
    recorded = await ask(context, "recorded?name=stopped");
  }
  // Without a code of its own. A worker that was terminated would leave 1006.
  assert.deepEqual(recorded, ["begun", "closed 1005 "]);
  await page.context().close();
});

test("the browser has nothing to complain about", () => {
  assert.deepEqual(context.complaints, []);
});
