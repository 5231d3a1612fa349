// Bundlers can use the package as it is: they find luau.wasm and the workers without configuration, or bundle the
// module with the script. The bundles run in a browser.
//
// Tier: default; --full adds webpack's minifier, which takes ten times as long as webpack itself. Vite minifies in both tiers.

import assert from "node:assert/strict";
import { cpSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import * as esbuild from "esbuild";
import * as vite from "vite";
import webpack from "webpack";
import { isFull } from "../server/tier.mjs";
import {
  browserForTests,
  expectFromPage,
  newProject,
  packageForTests,
  serve,
  writePage,
} from "./project.mjs";

/** Template files that use the package in the page, in a worker of their own, and in the package's worker. */
const PROGRAMS = ["page", "own-worker", "luau-worker"];

/** @type {string} */
let project;

const context = packageForTests((context) => {
  project = newProject(context, "bundlers");
  for (const program of PROGRAMS) {
    writePage(join(project, `${program}.html`), `type="module" src="./${program}.mjs"`);
  }
});
const browser = browserForTests();

// The bundles are outside of the project, because Vite's development server watches all of it.
describe("bundlers", { concurrency: 2 }, () => {
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
    await expectFromPages(test, PROGRAMS, address ?? "");
    assert.deepEqual(warnings, []);
  });

  test("Vite, as built", async (test) => {
    const { warnings, customLogger } = viteLogger();
    const dist = join(context.folder, "dist-vite");
    // Rolldown warns about slow plugins, which says more about the machine than about the package.
    const checks = { bundlerTimings: false };
    await vite.build({
      root: project,
      configFile: false,
      logLevel: "warn",
      customLogger,
      build: {
        outDir: dist,
        emptyOutDir: false,
        rolldownOptions: {
          input: PROGRAMS.map((program) => join(project, `${program}.html`)),
          checks,
        },
      },
      // Vite builds each worker separately.
      worker: { rolldownOptions: { checks } },
    });
    assert.deepEqual(warnings, []);
    assert.equal(countModules(dist), 1);
    const address = await serve(test, dist);
    await expectFromPages(test, PROGRAMS, `${address}/`);
  });

  test("webpack", async (test) => {
    const dist = join(context.folder, "dist-webpack");
    const compiler = webpack({
      mode: "production",
      context: project,
      entry: Object.fromEntries(PROGRAMS.map((program) => [program, `./${program}.mjs`])),
      output: { path: dist },
      // webpack warns about files above 244 KiB, such as luau.wasm.
      performance: { hints: false },
      optimization: { minimize: isFull },
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
    }
    await expectFromPages(test, PROGRAMS, `${address}/`);
  });

  test("esbuild, with the module in the script, as a classic script from the disk", async (test) => {
    const dist = join(context.folder, "dist-iife");
    await bundle(["inline"], dist, "iife");
    assert.deepEqual(readdirSync(dist), ["inline.js"]);
    writePage(join(dist, "page.html"), 'defer src="./inline.js"');
    await expectFromPage(test, context, browser, pathToFileURL(join(dist, "page.html")).href);
  });

  test("esbuild, with the module in the script, as a module", async (test) => {
    const dist = join(context.folder, "dist-esm");
    await bundle(["inline"], dist, "esm");
    assert.deepEqual(readdirSync(dist), ["inline.js"]);
    writePage(join(dist, "page.html"), 'type="module" src="./inline.js"');
    await expectFromPage(test, context, browser, `${await serve(test, dist)}/page.html`);
  });

  test("esbuild, as a classic script without the module: the errors say what to do", async (test) => {
    const dist = join(context.folder, "dist-no-address");
    await esbuild.build({
      entryPoints: [join(project, "loading.mjs")],
      outdir: dist,
      format: "iife",
      bundle: true,
      logLevel: "silent",
    });
    writePage(join(dist, "page.html"), 'defer src="./loading.js"');
    const { page } = await browser.open(test, `${await serve(test, dist)}/page.html`);
    await page.waitForFunction(() => "outcome" in globalThis);
    const messages = await page.evaluate(() => /** @type {any} */ (globalThis).outcome);
    assert.match(
      messages[0],
      /^cannot find luau\.wasm: this bundle is not a module.*format iife.*luau-websocket\/inline/,
    );
    assert.match(messages[1], /^cannot find worker-thread\.js: this bundle is not a module.*option/);
  });

  test("esbuild, which copies no files: the page says where they are", async (test) => {
    const dist = join(context.folder, "dist-given");
    await bundle(["given", "given-worker", "thread"], dist, "esm");
    cpSync(join(project, "node_modules/luau-websocket/luau.wasm"), join(dist, "elsewhere/given.wasm"));
    const programs = ["given", "given-worker"];
    for (const program of programs) {
      writePage(join(dist, `${program}.html`), `type="module" src="./${program}.js"`);
    }
    await expectFromPages(test, programs, `${await serve(test, dist)}/`);
  });
});

/**
 * @param {import("node:test").TestContext} test
 * @param {string[]} programs
 * @param {string} address of the folder with their pages
 */
async function expectFromPages(test, programs, address) {
  for (const program of programs) {
    await test.test(program, (test) => expectFromPage(test, context, browser, `${address}${program}.html`));
  }
}

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

/** A logger that collects warnings and errors. */
function viteLogger() {
  /** @type {string[]} */
  const warnings = [];
  const customLogger = vite.createLogger("silent");
  customLogger.warn = (message) => void warnings.push(message);
  customLogger.warnOnce = customLogger.warn;
  customLogger.error = customLogger.warn;
  return { warnings, customLogger };
}
