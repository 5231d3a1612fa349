// Helpers for the tests of the package: projects with the packed package installed, and environments that run their
// programs.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import sirv from "sirv";
import { openBrowser, openServer, root } from "../server/browser.mjs";
import { packedPackage } from "./pack.mjs";

/** A timeout that only guards against hanging, in milliseconds. Everything must pass even on a busy machine. */
export const PATIENCE = 120_000;

/** The result of `program` in template/program.mjs, which is the same everywhere. */
export const EXPECTED = {
  printed: ["arguments\t1\ttrue"],
  values: [2, "two", [3, 4], { five: 5 }],
  echo: ["héllo", 0, 255],
  failure: { kind: "runtime", line: 3, message: "failure:3: oops" },
  disposed: "disposed",
};

/**
 * @typedef {object} Context
 * @property {string} folder for the projects of this file; removed after the tests
 * @property {string} tarball the packed package
 * @property {string} installed a project that has the package installed; it is shared, so tests only copy from it
 * @property {string} echo the address of a server that sends back every message
 */

/**
 * Provides the packed package and an echo server for all tests of a file.
 *
 * @param {(context: Context) => void | Promise<void>} ready called before the first test
 * @returns {Context}
 */
export function packageForTests(ready = () => {}) {
  const context = { folder: "", tarball: "", installed: "", echo: "" };
  /** @type {Awaited<ReturnType<typeof openServer>> | undefined} */
  let server;

  before(async () => {
    const { tarball, project } = await packedPackage();
    context.tarball = tarball;
    context.installed = project;
    context.folder = mkdtempSync(join(tmpdir(), "luau-websocket-"));
    server = await openServer();
    context.echo = `ws://127.0.0.1:${server.port}/echo`;
    await ready(context);
  });

  after(async () => {
    await server?.close();
    rmSync(context.folder, { recursive: true, force: true });
  });

  return context;
}

/**
 * Creates a project with the package installed and a copy of the files in template/.
 *
 * @param {Context} context
 * @param {string} name
 * @returns {string} its folder
 */
export function newProject(context, name) {
  const project = join(context.folder, name);
  cpSync(fileURLToPath(new URL("template", import.meta.url)), project, { recursive: true });
  cpSync(context.installed, project, { recursive: true });
  return project;
}

/**
 * Writes a page that only loads a script.
 *
 * @param {string} file
 * @param {string} script the script's attributes
 * @param {string} [head] additional elements of the head
 */
export function writePage(file, script, head = "") {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(
    file,
    `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>page</title>
    ${head}
    <script ${script}></script>
  </head>
</html>
`,
  );
}

/**
 * Writes a copy of a file that imports the package by its path, for pages without a bundler, whose workers have no
 * import map.
 *
 * @param {string} project
 * @param {string} from
 * @param {string} to
 */
export function writeWithPaths(project, from, to) {
  const manifest = JSON.parse(
    readFileSync(join(project, "node_modules/luau-websocket/package.json"), "utf8"),
  );
  const source = readFileSync(join(project, from), "utf8").replace(
    /"luau-websocket(\/[\w-]+)?"/g,
    (_, entry = "") => `"./${join("node_modules/luau-websocket", manifest.exports[`.${entry}`].default)}"`,
  );
  writeFileSync(join(project, to), source);
}

/**
 * Runs a program to its end.
 *
 * @param {string} program
 * @param {string[]} args
 * @param {{ cwd?: string, env?: Record<string, string> }} [options]
 * @returns {Promise<string>} what it printed
 */
export async function run(program, args, { cwd, env = {} } = {}) {
  const options = { cwd, env: { ...process.env, NO_COLOR: "1", ...env }, timeout: PATIENCE };
  try {
    return (await promisify(execFile)(program, args, options)).stdout;
  } catch (error) {
    const { killed, stdout, stderr } = /** @type {any} */ (error);
    const why = killed ? `did not end within ${PATIENCE / 1_000} seconds` : "failed";
    throw new Error(`${[program, ...args].join(" ")} ${why}\n${stdout}${stderr}`);
  }
}

/**
 * Returns the path of a program that npm installs.
 *
 * @param {string} path under node_modules
 * @param {string} [variable] the environment variable that may name another one
 * @returns {string} its path
 */
export function npmProgram(path, variable = "") {
  const given = process.env[variable];
  if (given) {
    return given;
  }
  const program = join(root, "node_modules", path);
  if (!existsSync(program)) {
    const otherwise = variable && `; where that gives none for this machine, set ${variable} to its path`;
    throw new Error(`${program} is missing: \`cargo xtask setup\` or \`npm ci\` install it${otherwise}`);
  }
  return program;
}

/**
 * Serves the files in a folder on loopback until the test ends.
 *
 * @param {import("node:test").TestContext} test
 * @param {string} folder
 * @param {Record<string, string>} [headers] sent with each of them
 * @returns {Promise<string>} the address
 */
export async function serve(test, folder, headers = {}) {
  const files = sirv(folder, { dev: true });
  const server = createServer((request, response) => {
    response.setHeaders(new Map(Object.entries(headers)));
    files(request, response, () => void response.writeHead(404).end());
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  test.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return `http://127.0.0.1:${port}`;
}

/**
 * A page in the browser.
 *
 * @typedef {object} Opened
 * @property {import("playwright-core").Page} page
 * @property {string[]} complaints the browser's complaints
 * @property {Promise<void>} complained resolved at the first complaint
 */

/**
 * A browser for all tests of a file. It opens with the first page and not in a `before` hook: if another hook failed,
 * Node would call `after` before the browser is there, and the browser would keep the process alive.
 *
 * @returns {{ open: (test: import("node:test").TestContext, url: string) => Promise<Opened> }}
 */
export function browserForTests() {
  /** @type {ReturnType<typeof openBrowser> | undefined} */
  let opening;

  after(async () => {
    await (await opening)?.close();
  });

  return {
    async open(test, url) {
      opening ??= openBrowser();
      const page = await (await opening).newPage();
      test.after(() => page.close());
      page.setDefaultTimeout(PATIENCE);
      /** @type {string[]} */
      const complaints = [];
      const complained = /** @type {Promise<void>} */ (
        new Promise((resolve) => {
          /** @param {string} complaint */
          const complain = (complaint) => {
            complaints.push(complaint);
            resolve();
          };
          page.on("pageerror", (error) => complain(String(error)));
          page.on("requestfailed", (request) => complain(`failed: ${request.url()}`));
          page.on("console", (message) => {
            const { url } = message.location();
            // The browser requests an icon by itself.
            if (["error", "warning"].includes(message.type()) && !url.endsWith("/favicon.ico")) {
              complain(`${message.text()} (${url})`);
            }
          });
        })
      );
      await page.goto(url);
      return { page, complaints, complained };
    },
  };
}

/**
 * Opens a page that runs the program, and compares the result.
 *
 * @param {import("node:test").TestContext} test
 * @param {Context} context
 * @param {ReturnType<typeof browserForTests>} browser
 * @param {string} url
 */
export async function expectFromPage(test, context, browser, url) {
  const { page, complaints, complained } = await browser.open(
    test,
    `${url}?address=${encodeURIComponent(context.echo)}`,
  );
  await Promise.race([page.waitForFunction(() => "outcome" in globalThis), complained]);
  assert.deepEqual(complaints, []);
  expect(await page.evaluate(async () => JSON.stringify(await /** @type {any} */ (globalThis).outcome)));
  assert.deepEqual(complaints, []);
}

/**
 * Compares the result of the program.
 *
 * @param {string} outcome as JSON
 * @param {object} [but] the members that differ here
 */
export function expect(outcome, but = {}) {
  assert.deepEqual(JSON.parse(outcome), { ...EXPECTED, ...but });
}
