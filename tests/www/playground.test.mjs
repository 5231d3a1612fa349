// A person writes a script, runs it, reads its output and follows an error back into the script.
//
// Tier: default.

import assert from "node:assert/strict";
import { test } from "node:test";
import { addFile, drawn, run, settled, siteForTests, status, stop, write } from "./site.mjs";

const context = siteForTests();

const log = () => context.page.getByRole("log");

test("the page opens with the example of the documentation, which talks to the server of the page", async () => {
  const { page, port } = context;
  assert.match(
    await page.locator(".cm-content").innerText(),
    new RegExp(`ws://127\\.0\\.0\\.1:${port}/echo`),
  );
  await page.locator("#run").click();
  await log().getByText("WebSocket connected!").waitFor();
  await log().getByText("Echo: Hello from Luau!").waitFor();
  await stop(page);
});

test("print, warn, error and system lines differ by more than color", async () => {
  const { page } = context;
  await run(page, "print('a print')\nwarn('a warning')\ntask.spawn(error, 'an error', 0)\nreturn 42");
  await status(page, "Finished");
  await drawn(page);
  const lines = await log().ariaSnapshot();
  assert.match(lines, /a print/);
  assert.match(lines, /[Ww]arning.*a warning/s);
  assert.match(lines, /[Ee]rror.*an error/s);
  assert.match(lines, /returned/);
});

test("a place in an error leads to its line in the editor", async () => {
  const { page } = context;
  await run(page, "print('first')\nlocal function broken()\n\terror('oops')\nend\nbroken()");
  await log().getByText("oops").first().waitFor();
  await log()
    .getByRole("button", { name: /main:3/ })
    .or(log().getByRole("link", { name: /main:3/ }))
    .first()
    .click();
  const line = page.locator(".cm-activeLine");
  assert.match(await line.innerText(), /error\('oops'\)/);
  const hasFocus = await page.evaluate(() => {
    const host = document.activeElement;
    return host?.shadowRoot?.activeElement?.classList.contains("cm-content") ?? false;
  });
  assert(hasFocus, "the editor does not have the focus");
});

test("a place in an error leads to another file", async () => {
  const { page } = context;
  await write(page, "require('./lib').fail()");
  await addFile(page, "lib");
  await write(page, "local lib = {}\nfunction lib.fail()\n\terror('from the library')\nend\nreturn lib");
  await page.keyboard.press("Control+Enter");
  await log().getByText("from the library").first().waitFor();
  await page.getByRole("tab", { name: "main.luau" }).click();
  await log()
    .getByRole("button", { name: /lib:3/ })
    .or(log().getByRole("link", { name: /lib:3/ }))
    .first()
    .click();
  assert.equal(await page.getByRole("tab", { name: "lib.luau" }).getAttribute("aria-selected"), "true");
});

test("values are shown as a tree", async () => {
  const { page } = context;
  await page.getByRole("tab", { name: "main.luau" }).click();
  await run(page, "print('config', { name = 'luau', list = { 1, 2, 3 } })");
  await status(page, "Finished");
  await log().getByText("config").first().waitFor();
  const closed = log().locator('[aria-expanded="false"]').first();
  await closed.click();
  await log().getByText("luau").first().waitFor();
  await log().getByText("list").first().waitFor();
});

test("the editor underlines syntax errors while the user types", async () => {
  const { page } = context;
  await write(page, "local x = = 1");
  const marker = page.locator(".cm-lintRange-error").first();
  await marker.waitFor();
  await write(page, "local x = 1\nprint(x)");
  await marker.waitFor({ state: "detached" });
});

test("the editor underlines type errors while the user types, and knows the types of the libraries", async () => {
  const { page } = context;
  await write(
    page,
    "--!strict\nlocal n: number = 'text'\nlocal ws = websocket.connect('ws://loopback/echo')\ntask.wait(1)\nprint(n, ws)",
  );
  await settled(page);
  assert.equal(await page.locator("#checking").getAttribute("data-state"), "on");
  await page.locator(".cm-lintRange-error, .cm-lintRange-warning").first().waitFor();
  await page.locator(".cm-lint-marker").first().hover();
  await page
    .getByText(/string.*number|number.*string/i)
    .first()
    .waitFor();
  await write(page, "--!strict\nlocal n: number = 1\nprint(n, task.wait(0))");
  await settled(page);
  assert.equal(await page.locator(".cm-lintRange-error, .cm-lintRange-warning").count(), 0);
});

test("the editor completes and explains names of the libraries", async () => {
  const { page } = context;
  await write(page, "");
  await page.keyboard.type("task.de");
  await page.locator(".cm-tooltip-autocomplete").getByText("defer").first().waitFor();
  await page.locator(".cm-tooltip-autocomplete").getByText("delay").first().waitFor();
  await page.keyboard.press("Escape");
  await write(page, "websocket.connect('ws://loopback/echo')");
  // The results of a check redraw the line, which would close the tooltip.
  await settled(page);
  await page.locator(".cm-line span").getByText("connect", { exact: true }).first().hover();
  await page.locator(".cm-tooltip-hover").first().waitFor();
});

test("the browser reports no problems", () => {
  assert.deepEqual(context.complaints, []);
});
