// The code in the README does what it says: the Luau and the JavaScript in it are run, and the commands are there.
//
// Addresses in the snippets are replaced by that of a server on loopback. A snippet marked `js browser` runs in a page.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import WebSocket from "ws";
import {
  browserForTests,
  newProject,
  packageForTests,
  run,
  serve,
  writePage,
  writeWithPaths,
} from "../package/project.mjs";
import { root } from "../server/browser.mjs";

const snippets = [
  ...readFileSync(join(root, "README.md"), "utf8").matchAll(/^```(\w+)( browser)?\n([\s\S]*?)\n```$/gm),
].map(([, language, isBrowser, code]) => ({
  language: isBrowser ? "browser" : language,
  code: String(code),
}));

/** @param {string} language */
const inLanguage = (language) =>
  snippets.filter((snippet) => snippet.language === language).map(({ code }) => code);

const context = packageForTests(async (context) => {
  await newProject(context, "readme");
});
const browser = browserForTests();

/** @param {string} code */
const withAddress = (code) => code.replaceAll("ws://127.0.0.1:8080/echo", context.echo);

/** What the JavaScript prints, in the order of the README. */
const PRINTED = [["hello Luau", "2", "runtime second:1: oops 1"], ["hello\tfalse"]];
/** What the Luau prints. */
const LOGGED = [["received\thello", "closed with\t1000"]];

test("JavaScript", async () => {
  const codes = inLanguage("js");
  assert.equal(codes.length, PRINTED.length);
  const project = join(context.folder, "readme");
  // The one package that the README installs beside ours.
  const ws = pathToFileURL(join(root, "node_modules/ws/wrapper.mjs")).href;
  for (const [index, code] of codes.entries()) {
    const file = join(project, `snippet${index}.mjs`);
    writeFileSync(
      file,
      withAddress(code).replace('from "ws"', `from "${ws}"`).replace("console.error(", "console.log("),
    );
    const output = await run(process.execPath, [file], { cwd: project });
    assert.deepEqual(output.trim().split("\n"), PRINTED[index]);
  }
});

test("JavaScript for pages", async (t) => {
  const codes = inLanguage("browser");
  assert.equal(codes.length, 1);
  const project = join(context.folder, "readme");
  for (const code of codes) {
    writeFileSync(join(project, "snippet.js"), code);
    writeWithPaths(project, "snippet.js", "snippet-paths.js");
    writePage(join(project, "index.html"), 'type="module" src="snippet-paths.js"');
    const { page } = await browser.open(t, "about:blank");
    const printed = page.waitForEvent("console", { predicate: (message) => message.text() === "cancelled" });
    await page.goto(await serve(t, project));
    await printed;
  }
});

test("Luau", async () => {
  const codes = inLanguage("lua");
  assert.equal(codes.length, LOGGED.length);
  const { Luau } = await import(
    pathToFileURL(join(context.folder, "readme/node_modules/luau-websocket/node.js")).href
  );
  for (const [index, code] of codes.entries()) {
    /** @type {string[]} */
    const lines = [];
    const luau = await Luau.create({
      websocket: { WebSocket },
      print: (/** @type {string} */ text) => lines.push(text),
    });
    await luau.run(withAddress(code));
    await luau.idle();
    luau.dispose();
    assert.deepEqual(
      lines.map((line) => line.replace(/(received\thello)\tfalse/, "$1")),
      LOGGED[index],
    );
  }
});

test("commands", () => {
  const usage = readFileSync(join(root, "crates/xtask/src/main.rs"), "utf8");
  const commands = inLanguage("sh")
    .join("\n")
    .matchAll(/^cargo xtask (\w+)/gm);
  for (const [, command] of commands) {
    assert.match(usage, new RegExp(`^  ${command} `, "m"));
  }
});

test("no snippet is in a language that nothing runs", () => {
  const languages = new Set(snippets.map(({ language }) => language));
  assert.deepEqual([...languages].sort(), ["browser", "js", "lua", "sh"]);
});
