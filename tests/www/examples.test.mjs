// Every example runs to its end in the page, against the server inside of it, without an error, a warning or a complaint of the checker.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { drawn, siteForTests, status } from "./site.mjs";

const context = siteForTests({ playground: false });

/** How each of them ends. */
const ENDS = {
  Echo: /Echo: Hello from Luau!.*WebSocket disconnected\./s,
  Chat: /Ada: Good afternoon!.*you left \(1000\)/s,
  "Heartbeat and reconnect": /no answer for.*enough of this server/s,
  "Binary protocol": /asked 5 questions.*the sum is 31\.5.*desserts/s,
  "Live table": /apples.*\d+ messages in 6 seconds/s,
  "Many connections": /100 connections are open.*2000 messages came back/s,
  Modules: /Robbie: that makes 6\.5.*I cannot dance/s,
};

// Each waits most of the time.
describe("the examples", { concurrency: true }, () => {
  for (const [title, end] of Object.entries(ENDS)) {
    test(title, async () => {
      const page = await context.newPage();
      await context.open(page);
      await page.getByRole("button", { name: "Examples" }).click();
      await page.locator("#examples-list .choice", { has: page.getByText(title, { exact: true }) }).click();
      await page.locator('#checking[data-state="on"]').waitFor({ timeout: 60_000 });
      await page.waitForTimeout(1_000);
      assert.deepEqual(await page.locator(".cm-lintRange-error, .cm-lintRange-warning").allInnerTexts(), []);
      await page.locator("#run").click();
      await page
        .locator("#status")
        .filter({ hasText: /Finished|Failed/ })
        .waitFor({ timeout: 60_000 });
      await status(page, "Finished");
      await drawn(page);
      assert.match(await page.getByRole("log").innerText(), end);
      assert.equal(await page.locator('.output-line:is([data-kind="error"], [data-kind="warn"])').count(), 0);
      await page.context().close();
    });
  }

  test("there are no others", async () => {
    const page = await context.newPage();
    await context.open(page);
    await page.getByRole("button", { name: "Examples" }).click();
    await page.locator("#examples-dialog[open]").waitFor();
    assert.deepEqual(
      await page.locator("#examples-list .choice strong").allTextContents(),
      Object.keys(ENDS),
    );
    await page.context().close();
  });
});

test("nothing of all this made the browser complain", () => {
  assert.deepEqual(context.complaints, []);
});
