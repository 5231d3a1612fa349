// The package runs in a page without a bundler, even under a strict Content Security Policy, and in workers.
//
// Tier: default.

import assert from "node:assert/strict";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import {
  browserForTests,
  expectFromPage,
  newProject,
  packageForTests,
  serve,
  writePage,
  writeWithPaths,
} from "./project.mjs";

const POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' ws:";

/** @type {string} */
let project;

const context = packageForTests((context) => {
  project = newProject(context, "pages");
});
const browser = browserForTests();

describe("pages", { concurrency: 2 }, () => {
  test("by an import map", async (test) => {
    const map = { imports: { "luau-websocket": "./node_modules/luau-websocket/index.js" } };
    writePage(
      `${project}/map.html`,
      'type="module" src="./page.mjs"',
      `<script type="importmap">${JSON.stringify(map)}</script>`,
    );
    await expectFromPage(test, context, browser, `${await serve(test, project)}/map.html`);
  });

  test("under a Content Security Policy", (test) => underPolicy(test, "page"));

  test("under a Content Security Policy, with the module in the script", (test) =>
    underPolicy(test, "inline"));

  test("in a worker of the page", async (test) => {
    writeWithPaths(project, "in-worker.mjs", "in-worker.mjs");
    await underPolicy(test, "own-worker");
  });

  test("in the worker that the package makes", (test) => underPolicy(test, "luau-worker"));

  test("a policy without wasm-unsafe-eval is named by the error", async (test) => {
    const policy = "script-src 'self'; connect-src 'self' ws:";
    writeWithPaths(project, "loading.mjs", "loading-by-path.mjs");
    writePage(`${project}/loading.html`, 'type="module" src="./loading-by-path.mjs"');
    const address = await serve(test, project, { "Content-Security-Policy": policy });
    const { page } = await browser.open(test, `${address}/loading.html`);
    await page.waitForFunction(() => "outcome" in globalThis);
    const messages = await page.evaluate(() => /** @type {any} */ (globalThis).outcome);
    assert.equal(messages.length, 2);
    for (const message of messages) {
      assert.match(
        message,
        /Content Security Policy does not allow it\. Add 'wasm-unsafe-eval' to its script-src/,
      );
    }
  });

  test("with Trusted Types, by a worker that the page makes", async (test) => {
    writeWithPaths(project, "thread.mjs", "thread-by-path.mjs");
    writeWithPaths(project, "trusted-worker.mjs", "trusted-worker-by-path.mjs");
    writePage(`${project}/trusted.html`, 'type="module" src="./trusted-worker-by-path.mjs"');
    const policy = `${POLICY}; require-trusted-types-for 'script'; trusted-types workers`;
    const address = await serve(test, project, { "Content-Security-Policy": policy });
    await expectFromPage(test, context, browser, `${address}/trusted.html`);
  });

  test("from a CDN of another origin, in the worker that the package makes", async (test) => {
    const cdn = await serve(test, project, { "Access-Control-Allow-Origin": "*" });
    const folder = join(context.folder, "other-origin");
    const module = `${cdn}/node_modules/luau-websocket`;
    const source = readFileSync(join(project, "luau-worker.mjs"), "utf8");
    mkdirSync(folder);
    cpSync(join(project, "program.mjs"), join(folder, "program.mjs"));
    writeFileSync(
      join(folder, "page.mjs"),
      source.replace('"luau-websocket/worker"', `"${module}/worker.js"`),
    );
    writePage(join(folder, "page.html"), 'type="module" src="./page.mjs"');
    await expectFromPage(test, context, browser, `${await serve(test, folder)}/page.html`);
  });

  test("what the policy forbids is noticed here", async (test) => {
    writePage(`${project}/forbidden.html`, 'type="module"', "<script>console.log('inline')</script>");
    const address = await serve(test, project, { "Content-Security-Policy": POLICY });
    const { complaints, complained } = await browser.open(test, `${address}/forbidden.html`);
    await complained;
    assert.match(complaints.join("\n"), /Content Security Policy/);
  });
});

/**
 * Returns a page under the policy, with a copy of a template file that imports the package by its path.
 *
 * @param {import("node:test").TestContext} test
 * @param {string} file
 */
async function underPolicy(test, file) {
  writeWithPaths(project, `${file}.mjs`, `${file}-by-path.mjs`);
  writePage(`${project}/${file}.html`, `type="module" src="./${file}-by-path.mjs"`);
  const address = await serve(test, project, { "Content-Security-Policy": POLICY });
  await expectFromPage(test, context, browser, `${address}/${file}.html`);
}
