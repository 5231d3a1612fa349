// The examples work with the packed package: a copy of each is a project that builds and runs.
//
// Tier: default.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, test } from "node:test";
import { root } from "../server/browser.mjs";
import { browserForTests, packageForTests, run, serve } from "./project.mjs";

const context = packageForTests();
const browser = browserForTests();

describe("examples", { concurrency: 2 }, () => {
  test("vite", async (test) => {
    const project = copyOf("vite");
    await run("npm", ["run", "build"], { cwd: project, env: WITH_PROGRAMS });
    const echo = spawn(process.execPath, ["echo.js"], {
      cwd: project,
      env: { ...process.env, PORT: "0" },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = once(echo, "exit");
    test.after(async () => {
      echo.kill();
      await ended;
    });
    const [line] = await Promise.race([
      once(echo.stdout, "data"),
      ended.then(() => assert.fail("the server ended")),
    ]);
    const address = String(line).trim();

    const { page, complaints } = await browser.open(test, `${await serve(test, join(project, "dist"))}/`);
    const script = page.getByLabel("Script");
    const runButton = page.getByRole("button", { name: "Run" });
    const output = page.getByRole("log");
    await runButton.and(page.locator(":enabled")).waitFor();
    await script.fill((await script.inputValue()).replace("ws://127.0.0.1:8080", address));
    await runButton.click();
    await output.getByText("connected").waitFor();
    await page.getByLabel("Message").fill("hello");
    await page.keyboard.press("Enter");
    await output.getByText("server:").waitFor();
    assert.equal(await output.textContent(), "connected\nme:\thello\nserver:\thello\n");
    await script.fill("error('oops')");
    await runButton.click();
    await output.getByText("LuauError: chat:1: oops").waitFor();
    assert.deepEqual(complaints, []);
  });

  test("worker", async (test) => {
    const project = copyOf("worker");
    await run("npm", ["run", "build"], { cwd: project, env: WITH_PROGRAMS });
    const { page, complaints } = await browser.open(test, `${await serve(test, join(project, "dist"))}/`);
    const runButton = page.getByRole("button", { name: "Run" });
    const output = page.getByRole("log");
    await runButton.click();
    await output.getByText("counting").waitFor();
    await page.getByRole("button", { name: "Stop" }).click();
    await output.getByText("LuauError").waitFor();
    await page.getByLabel("Script").fill('print("again")');
    await runButton.click();
    await output.getByText("done").waitFor();
    assert.match((await output.textContent()) ?? "", /^counting\nLuauError: .*\nagain\ndone\n$/);
    assert.deepEqual(complaints, []);
  });

  test("page", async (test) => {
    const { page, complaints } = await browser.open(test, `${await serve(test, copyOf("page"))}/`);
    const output = page.getByRole("log");
    await output.getByText("The page got").waitFor();
    assert.match(
      (await output.textContent()) ?? "",
      /^Hello from\tLuau\nThis page has\t\d+\tbytes\nThe page got \d+\.\n$/,
    );
    assert.deepEqual(complaints, []);
  });

  test("node", async () => {
    const project = copyOf("node");
    assert.equal(await run("npm", ["start", "--silent"], { cwd: project }), "Hello, world!\n");
    const main = (/** @type {string[]} */ ...args) =>
      run(process.execPath, ["main.js", ...args], { cwd: project });
    assert.equal(await main("scripts/hello.luau", "reader"), "Hello, reader!\n");
    assert.equal(await main(join(project, "scripts/hello.luau"), "you"), "Hello, you!\n");
    assert.equal(await main("scripts/echo.luau", context.echo), "Is anybody there?\n");
    writeFileSync(join(project, "broken.luau"), 'task.wait()\nrequire("./missing")');
    await assert.rejects(main("broken.luau"), /broken\.luau:2: .*missing/);
  });
});

/** The programs of the packages that the examples depend on are not in the examples' own folders here. */
const WITH_PROGRAMS = { PATH: [join(root, "node_modules/.bin"), process.env.PATH].join(delimiter) };

/**
 * Copies an example with all its dependencies: the packed package, and this repository's copies of the others, so that
 * no registry is needed.
 *
 * @param {string} name
 * @returns {string} its folder
 */
function copyOf(name) {
  const project = join(context.folder, name);
  const modules = join(project, "node_modules");
  // Files that somebody has tried out in the example's folder are not copied.
  const isPart = (/** @type {string} */ path) => !/[\\/](node_modules|dist)$/.test(path);
  cpSync(join(root, "examples", name), project, { recursive: true, filter: isPart });
  cpSync(join(context.installed, "node_modules"), modules, { recursive: true });
  const { dependencies, devDependencies } = readManifest(project);
  for (const [dependency, range] of Object.entries({ ...dependencies, ...devDependencies })) {
    if (dependency !== "luau-websocket" && dependency !== "sirv-cli") {
      const here = join(root, "node_modules", dependency);
      const [major] = readManifest(here).version.split(".");
      assert.equal(range, `^${major}.0.0`, `the version of ${dependency} in examples/${name}`);
      symlinkSync(here, join(modules, dependency));
    }
  }
  return project;
}

/** @param {string} folder */
function readManifest(folder) {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
}
