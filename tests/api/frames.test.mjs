// A page whose main thread runs a hostile script still draws frames and answers clicks, with the default options.
//
// The page is compared with one in which plain JavaScript computes in slices of the same length, measured right before.
// A page cannot be more responsive than that while it computes, and a busy machine affects both equally.
//
// Tier: default; --full adds nine more scripts.
// Needs: a quiet machine.
// Engines: all.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually } from "../eventually.mjs";
import { pageForTests } from "../server/browser.mjs";
import { isFull } from "../server/tier.mjs";

const context = pageForTests("/tests/luau/page.html", async ({ page }) => {
  await page.waitForFunction(() => "Luau" in globalThis);
});

/**
 * The limits for 95 % of the frames and for every answer to a click, in milliseconds. They hold on an idle machine; on
 * any other, they are added to the times of the page with plain JavaScript.
 */
const FRAME_MS = 50;
const ANSWER_MS = 100;
const MARGIN = 3;
const CLICKS = 6;
/** The time between two clicks, in milliseconds. */
const CLICK_MS = 250;
/** The number of attempts. Other programs can only slow a page down, and a page that a script blocks is slow each time. */
const TRIES = 5;

/** The default time slice of scripts, in milliseconds. */
const SLICE_MS = 8;

/** The scripts of the default tier. */
const USUAL = ["an endless loop", "a flood of output"];

/** @type {Record<string, string>} */
const SCRIPTS = {
  "an endless loop": "while true do end",
  "an endless loop that catches errors": "while true do pcall(function() for _ = 1, 10 do end end) end",
  "an endless loop in a coroutine in a coroutine":
    "coroutine.wrap(function() coroutine.wrap(function() while true do end end)() end)()",
  "endless loops in threads": "for _ = 1, 10 do task.spawn(function() while true do end end) end",
  "an endless loop in a thread that was deferred": "task.defer(function() while true do end end)",
  "1,000 threads that defer themselves forever": `
    for _ = 1, 1000 do
      local function again() task.defer(again) end
      task.defer(again)
    end`,
  "5,000 threads that wait again and again": `
    for _ = 1, 5000 do
      task.spawn(function() while task.wait() do end end)
    end`,
  "a flood of output": "while true do print('flood', 1, {}) end",
  "a flood of warnings from many threads": `
    for _ = 1, 100 do
      task.spawn(function() while true do warn('flood') task.wait() end end)
    end`,
  "allocation without end": "while true do local t = {} for i = 1, 1000 do t[i] = { i, tostring(i) } end end",
  "memory that grows until there is none": `
    while true do
      pcall(function()
        local kept = {}
        while true do table.insert(kept, { string.rep('x', 1000) .. #kept }) end
      end)
    end`,
};

/**
 * Starts the work that keeps the page busy, and records frames and clicks.
 *
 * @param {{ source?: string, slice: number }} options without a source, plain JavaScript computes in slices
 */
async function startWork({ source, slice }) {
  document.body.innerHTML = "<button style='width: 200px; height: 200px'>stop</button>";
  /** @type {number[]} */
  const frames = [];
  /** @type {number[]} */
  const answers = [];
  document.querySelector("button")?.addEventListener("click", (event) => {
    // Measured from the time the browser received the click.
    answers.push(performance.now() - event.timeStamp);
  });
  const work = source === undefined ? computeInSlices() : await runScript(source);
  let isOver = false;
  const frame = (/** @type {number} */ _) => {
    frames.push(performance.now());
    if (!isOver) {
      requestAnimationFrame(frame);
    }
  };
  requestAnimationFrame(frame);
  Object.assign(globalThis, {
    countAnswers: () => answers.length,
    async endWork() {
      isOver = true;
      return { frames, answers, ...(await work.end()) };
    },
  });

  /** @param {string} source */
  async function runScript(source) {
    const { Luau } = /** @type {any} */ (globalThis);
    const luau = await Luau.create({ print: () => {}, warn: () => {}, onError: () => {} });
    let failedBefore = false;
    const run = luau.run(source).then(
      () => {},
      () => {
        failedBefore = true;
      },
    );
    const end = async () => {
      const { threads, sockets } = luau.stats;
      const result = { failedBefore, alive: threads + sockets };
      luau.stop();
      await run;
      luau.dispose();
      return result;
    };
    return { end };
  }

  function computeInSlices() {
    let hasEnded = false;
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      const until = performance.now() + slice;
      while (performance.now() < until) {
        // Busy.
      }
      if (!hasEnded) {
        port2.postMessage(undefined);
      }
    };
    port2.postMessage(undefined);
    const end = () => {
      hasEnded = true;
      return { failedBefore: false, alive: 1 };
    };
    return { end };
  }
}

/**
 * Measures the page while a script, or plain JavaScript, keeps it busy.
 *
 * @param {string} [source]
 */
async function measure(source) {
  const { page } = context;
  await page.evaluate(startWork, { source, slice: SLICE_MS });
  for (let number = 1; number <= CLICKS; number++) {
    await page.mouse.click(50, 50);
    // Frames are recorded in the meantime.
    await sleep(CLICK_MS);
  }
  await eventually(
    async () => (await page.evaluate("countAnswers()")) === CLICKS,
    () => "clicks were lost",
  );
  const noted = await page.evaluate(() => /** @type {any} */ (globalThis).endWork());
  /** @type {{ frames: number[], answers: number[], failedBefore: boolean, alive: number }} */
  const { frames, answers, failedBefore, alive } = noted;
  assert.equal(failedBefore, false, "the script ended by itself: this tries nothing");
  assert(alive > 0, "nothing of the script was alive: this tries nothing");
  const gaps = frames.slice(1).map((time, at) => time - (frames[at] ?? 0));
  gaps.sort((a, b) => a - b);
  const gap = gaps[Math.floor(gaps.length * 0.95)] ?? Number.POSITIVE_INFINITY;
  const [slowest, longest] = [Math.max(...answers), gaps.at(-1) ?? Number.POSITIVE_INFINITY];
  const [first, second, third] = [gap, longest, slowest].map((time) => time.toFixed(1));
  const text = `${gaps.length} frames, 95 of 100 within ${first} ms, longest ${second} ms; clicks within ${third} ms`;
  return { gap, longest, slowest, text };
}

for (const [name, source] of Object.entries(SCRIPTS)) {
  if (!isFull && !USUAL.includes(name)) {
    continue;
  }
  test(name, async (t) => {
    for (let left = TRIES; ; left--) {
      const plain = await measure();
      const script = await measure(source);
      const text = `${script.text}; with plain JavaScript: ${plain.text}`;
      t.diagnostic(text);
      if (
        script.gap < Math.max(FRAME_MS, MARGIN * plain.gap) &&
        script.slowest < Math.max(ANSWER_MS, MARGIN * plain.slowest)
      ) {
        return;
      }
      assert(left > 1, text);
    }
  });
}
