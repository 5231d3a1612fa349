// The package runs in a page as it is, without a bundler: also under a strict Content Security Policy, and in workers.
//
// Tier: default.

import assert from "node:assert/strict";
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

  test("what the policy forbids is noticed here", async (test) => {
    writePage(`${project}/forbidden.html`, 'type="module"', "<script>console.log('inline')</script>");
    const address = await serve(test, project, { "Content-Security-Policy": POLICY });
    const { complaints, complained } = await browser.open(test, `${address}/forbidden.html`);
    await complained;
    assert.match(complaints.join("\n"), /Content Security Policy/);
  });
});

/**
 * A page under the policy, with a copy of a file of the template that imports the package by its path.
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
