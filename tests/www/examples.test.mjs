// Every example runs to its end in the page, against the server inside it, without errors, warnings or complaints of
// the checker.
//
// Tier: default; --full adds the examples that take longest.

import assert from "node:assert/strict";
import { test } from "node:test";
import { isFull } from "../server/tier.mjs";
import { drawn, openExamples, settled, siteForTests } from "./site.mjs";

const context = siteForTests({ playground: false });

/** The last output of each example. */
const ENDS = {
  Echo: /Echo: Hello from Luau!.*WebSocket disconnected\./s,
  Chat: /Ada: Good afternoon!.*you left \(1000\)/s,
  "Heartbeat and reconnect": /no answer for.*enough of this server/s,
  "Binary protocol": /sent 5 requests.*the sum is 31\.5.*desserts/s,
  "Live table": /apples.*\d+ messages in 6 seconds/s,
  "Many connections": /100 connections are open.*2000 messages came back/s,
  Modules: /Robbie: that makes 6\.5.*I cannot dance/s,
};

/** The examples of the default tier. tests/www/services.test.mjs runs all of them in Node. */
const DEFAULT = ["Chat", "Binary protocol", "Many connections", "Modules"];

for (const [title, end] of Object.entries(ENDS).filter(([title]) => isFull || DEFAULT.includes(title))) {
  test(title, async () => {
    const { page } = context;
    await openExamples(page);
    await page.locator("#examples-list .choice", { has: page.getByText(title, { exact: true }) }).click();
    await settled(page);
    assert.equal(await page.locator("#checking").getAttribute("data-state"), "on");
    assert.deepEqual(await page.locator(".cm-lintRange-error, .cm-lintRange-warning").allInnerTexts(), []);
    await page.locator("#run").click();
    await page
      .locator('#status:is([data-state="finished"], [data-state="failed"])')
      .waitFor({ timeout: 60_000 });
    assert.equal(await page.locator("#status").getAttribute("data-state"), "finished");
    await drawn(page);
    assert.match(await page.getByRole("log").innerText(), end);
    assert.equal(await page.locator('.output-line:is([data-kind="error"], [data-kind="warn"])').count(), 0);
  });
}

test("the page offers exactly these examples", async () => {
  const { page } = context;
  await openExamples(page);
  assert.deepEqual(await page.locator("#examples-list .choice strong").allTextContents(), Object.keys(ENDS));
});

test("the browser reports no problems", () => {
  assert.deepEqual(context.complaints, []);
});
