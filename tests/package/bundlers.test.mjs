// Bundlers take the package as it is: they find luau.wasm and the workers without being told, or have the module in the
// script. What they make runs in a browser.

import assert from "node:assert/strict";
import { cpSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import * as esbuild from "esbuild";
import * as vite from "vite";
import webpack from "webpack";
import {
  browserForTests,
  expectFromPage,
  newProject,
  packageForTests,
  serve,
  writePage,
} from "./project.mjs";

/** The files of the template that are bundled: they use the package in the page, in a worker of their own, in its worker. */
const PROGRAMS = ["page", "own-worker", "luau-worker"];

/** @type {string} */
let project;

const context = packageForTests(async (context) => {
  project = await newProject(context, "bundlers");
  for (const program of PROGRAMS) {
    writePage(join(project, `${program}.html`), `type="module" src="./${program}.mjs"`);
  }
});
const browser = browserForTests();

test("Vite, while developing", async (test) => {
  const { warnings, customLogger } = viteLogger();
  const server = await vite.createServer({
    root: project,
    configFile: false,
    customLogger,
    server: { host: "127.0.0.1", port: 0 },
  });
  test.after(() => server.close());
  await server.listen();
  const address = server.resolvedUrls?.local[0];
  for (const program of PROGRAMS) {
    await test.test(program, (test) => expectFromPage(test, context, browser, `${address}${program}.html`));
  }
  assert.deepEqual(warnings, []);
});

test("Vite, as built", async (test) => {
  const { warnings, customLogger } = viteLogger();
  const dist = join(project, "dist-vite");
  await vite.build({
    root: project,
    configFile: false,
    logLevel: "warn",
    customLogger,
    build: {
      outDir: dist,
      rolldownOptions: { input: PROGRAMS.map((program) => join(project, `${program}.html`)) },
    },
  });
  assert.deepEqual(warnings, []);
  assert.equal(countModules(dist), 1);
  const address = await serve(test, dist);
  for (const program of PROGRAMS) {
    await test.test(program, (test) => expectFromPage(test, context, browser, `${address}/${program}.html`));
  }
});

test("webpack", async (test) => {
  const dist = join(project, "dist-webpack");
  const compiler = webpack({
    mode: "production",
    context: project,
    entry: Object.fromEntries(PROGRAMS.map((program) => [program, `./${program}.mjs`])),
    output: { path: dist },
    // The sizes of all that is not webpack's to judge.
    performance: { hints: false },
  });
  const stats = await new Promise((resolve, reject) =>
    compiler?.run((error, stats) => (error ? reject(error) : resolve(stats))),
  );
  await new Promise((resolve) => compiler?.close(resolve));
  const { errors, warnings } = stats.toJson({ errors: true, warnings: true });
  assert.deepEqual([...errors, ...warnings], []);
  assert.equal(countModules(dist), 1);
  const address = await serve(test, dist);
  for (const program of PROGRAMS) {
    writePage(join(dist, `${program}.html`), `defer src="./${program}.js"`);
    await test.test(program, (test) => expectFromPage(test, context, browser, `${address}/${program}.html`));
  }
});

test("esbuild, with the module in the script, as a classic script from the disk", async (test) => {
  const dist = join(project, "dist-iife");
  await bundle(["inline"], dist, "iife");
  assert.deepEqual(readdirSync(dist), ["inline.js"]);
  writePage(join(dist, "page.html"), 'defer src="./inline.js"');
  await expectFromPage(test, context, browser, pathToFileURL(join(dist, "page.html")).href);
});

test("esbuild, with the module in the script, as a module", async (test) => {
  const dist = join(project, "dist-esm");
  await bundle(["inline"], dist, "esm");
  assert.deepEqual(readdirSync(dist), ["inline.js"]);
  writePage(join(dist, "page.html"), 'type="module" src="./inline.js"');
  await expectFromPage(test, context, browser, `${await serve(test, dist)}/page.html`);
});

test("esbuild, which copies no files: the page says where they are", async (test) => {
  const dist = join(project, "dist-given");
  await bundle(["given", "given-worker", "thread"], dist, "esm");
  cpSync(join(project, "node_modules/luau-websocket/luau.wasm"), join(dist, "elsewhere/given.wasm"));
  const address = await serve(test, dist);
  for (const program of ["given", "given-worker"]) {
    writePage(join(dist, `${program}.html`), `type="module" src="./${program}.js"`);
    await test.test(program, (test) => expectFromPage(test, context, browser, `${address}/${program}.html`));
  }
});

/**
 * @param {string[]} programs
 * @param {string} outdir
 * @param {"iife" | "esm"} format
 */
async function bundle(programs, outdir, format) {
  const entryPoints = programs.map((program) => join(project, `${program}.mjs`));
  const { warnings } = await esbuild.build({ entryPoints, outdir, format, bundle: true, logLevel: "silent" });
  assert.deepEqual(warnings, []);
}

/** @param {string} folder */
function countModules(folder) {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".wasm"))
    .length;
}

/** Collects what Vite would print. */
function viteLogger() {
  /** @type {string[]} */
  const warnings = [];
  const customLogger = vite.createLogger("silent");
  customLogger.warn = (message) => void warnings.push(message);
  customLogger.warnOnce = customLogger.warn;
  customLogger.error = customLogger.warn;
  return { warnings, customLogger };
}
