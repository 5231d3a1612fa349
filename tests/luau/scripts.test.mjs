// Runs the scripts under tests/luau, each of which tests one rule, in a real browser on the built package.
//
// A script fails when it raises an error, and when it leaves an error that nobody waited for, unless it says so in its
// first lines: `--! errors N` for so many, `--! warnings N` likewise, and `--! queue N` to make a connection keep only so
// many messages.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { startServer } from "../server/server.mjs";

const folder = fileURLToPath(new URL(".", import.meta.url));
const root = fileURLToPath(new URL("../../", import.meta.url));
const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
  .filter((file) => /[\\/].*\.luau$/.test(file))
  .sort();

/** @type {Awaited<ReturnType<typeof startServer>>} */
let server;
/** @type {import("playwright-core").Browser} */
let browser;
/** @type {import("playwright-core").Page} */
let page;
/** @type {string} */
let prelude;

before(async () => {
  server = await startServer({ root });
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
    ],
  });
  page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${server.port}/tests/luau/page.html`);
  await page.waitForFunction(() => "runScript" in globalThis);
  const ports = await (await fetch(`http://127.0.0.1:${server.port}/server/ports`)).json();
  prelude = readFileSync(`${folder}/prelude.luau`, "utf8")
    .replace("{SERVER}", `127.0.0.1:${server.port}`)
    .replace("{SILENT}", `127.0.0.1:${ports.silent}`)
    .replace("{CLOSED}", `127.0.0.1:${ports.closed}`);
});

after(async () => {
  await browser?.close();
  await server?.close();
});

for (const file of files) {
  test(file, async () => {
    const source = readFileSync(`${folder}/${file}`, "utf8");
    /** @param {string} name */
    const directive = (name) => Number(source.match(new RegExp(`^--! ${name} (\\d+)$`, "m"))?.[1] ?? 0);
    const queue = directive("queue");
    const result = await page.evaluate((script) => /** @type {any} */ (globalThis).runScript(script), {
      prelude,
      source,
      name: file,
      websocket: queue ? { maxQueueMessages: queue } : {},
    });
    assert.equal(result.failure, undefined);
    assert.equal(result.errors.length, directive("errors"), result.errors.join("\n"));
    assert.equal(result.warnings.length, directive("warnings"), result.warnings.join("\n"));
  });
}
