// The code in the documentation works: every snippet runs and prints the text below it. docs/site/snippets.mjs explains
// the marks of code blocks.
//
// Addresses in the snippets are replaced with that of a loopback server.
//
// Tier: default.

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import WebSocket from "ws";
import { isOutput, snippetsOf } from "../../docs/site/snippets.mjs";
import {
  browserForTests,
  newProject,
  npmProgram,
  PATIENCE,
  packageForTests,
  run,
  serve,
  writePage,
  writeWithPaths,
} from "../package/project.mjs";
import { root } from "../server/browser.mjs";

/** @typedef {import("../../docs/site/snippets.mjs").Snippet} Snippet */

const DOCUMENTS = [
  "README.md",
  "CONTRIBUTING.md",
  ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".md"))
    .map((path) => `docs/${path}`),
];

let project = "";
const context = packageForTests((context) => {
  project = newProject(context, "readme");
});
const browser = browserForTests();

/** @param {string} code */
const withAddress = (code) => code.replaceAll("ws://127.0.0.1:8080/", context.echo.slice(0, -"echo".length));

let files = 0;
/** Returns a new name for a file of the project, without an extension, because two snippets run at a time. */
const newName = () => `snippet-${++files}`;

/** @param {string} output */
const linesOf = (output) => output.split("\n").slice(0, -1);

/**
 * Returns the code for a file of the project. It imports ws and vue by their paths, because they are not installed there.
 *
 * @param {string} code
 */
function forProject(code) {
  const imported = (/** @type {string} */ path) =>
    `from "${pathToFileURL(join(root, "node_modules", path)).href}"`;
  return withAddress(code)
    .replace('from "ws"', imported("ws/wrapper.mjs"))
    .replace('from "vue"', imported("vue/index.mjs"))
    .replace("console.error(", "console.log(");
}

/**
 * Functions that run a snippet and return the printed lines, by language.
 *
 * @type {Record<string, (snippet: Snippet, t: import("node:test").TestContext) => Promise<string[]>>}
 */
const RUNNERS = {
  async js({ code }) {
    const file = join(project, `${newName()}.mjs`);
    writeFileSync(file, forProject(code));
    return linesOf(await run(process.execPath, [file], { cwd: project }));
  },

  async ts({ code }) {
    const name = newName();
    writeFileSync(join(project, `${name}.mts`), forProject(code));
    const options = ["--strict", "--target", "es2022", "--module", "nodenext", "--types", "", `${name}.mts`];
    await run(process.execPath, [npmProgram("typescript/bin/tsc"), ...options], { cwd: project });
    return linesOf(await run(process.execPath, [`${name}.mjs`], { cwd: project }));
  },

  async browser({ code }, t) {
    const name = newName();
    writeFileSync(join(project, `${name}.js`), withAddress(code));
    writeWithPaths(project, `${name}.js`, `${name}-paths.js`);
    writeFileSync(
      join(project, `${name}-all.js`),
      `await import("./${name}-paths.js");\nglobalThis.isDone = true;\n`,
    );
    writePage(join(project, `${name}.html`), `type="module" src="${name}-all.js"`);
    const { page, complaints, complained } = await browser.open(t, "about:blank");
    /** @type {string[]} */
    const lines = [];
    page.on("console", (message) => message.type() === "log" && lines.push(message.text()));
    await page.goto(`${await serve(t, project)}/${name}.html`);
    await Promise.race([page.waitForFunction(() => "isDone" in globalThis), complained]);
    assert.deepEqual(complaints, []);
    return lines;
  },

  /** A page with a form that sends its text, and a list of received messages. */
  async html({ code }, t) {
    const name = newName();
    writeFileSync(join(project, `${name}.html`), withAddress(code));
    const { page, complaints } = await browser.open(t, `${await serve(t, project)}/${name}.html`);
    await page.getByRole("textbox").fill("hello");
    await page.getByRole("button").click();
    await page.getByRole("listitem").getByText("hello").waitFor();
    assert.deepEqual(complaints, []);
    return [];
  },

  async luau({ code, marks }) {
    const entry = join(project, "node_modules/luau-websocket/node.js");
    const { Luau } = await import(pathToFileURL(entry).href);
    /** @type {string[]} */
    const lines = [];
    const luau = await Luau.create({
      websocket: { WebSocket },
      print: (/** @type {string} */ text) => lines.push(text),
      onError: (/** @type {Error} */ error) => lines.push(error.message),
    });
    const ran = luau.run(withAddress(code), { chunkName: "main" });
    if (marks.includes("fails")) {
      lines.push(await ran.then(assert.fail, (/** @type {Error} */ error) => error.message));
      luau.stop();
    } else {
      await ran;
      await luau.idle();
    }
    luau.dispose();
    return lines;
  },

  /** Checks that the commands exist. */
  async sh({ code }) {
    const usage = readFileSync(join(root, "crates/xtask/src/main.rs"), "utf8");
    for (const [, command] of code.matchAll(/^cargo xtask (\w+)/gm)) {
      assert.match(usage, new RegExp(`^  ${command} `, "m"));
    }
    return [];
  },

  /** Nothing to run. */
  async text() {
    return [];
  },
};

/** Aliases of languages. */
const LANGUAGES = new Map([["lua", "luau"]]);

describe("snippets", { concurrency: 2 }, () => {
  for (const document of DOCUMENTS) {
    const markdown = readFileSync(join(root, document), "utf8");
    test(`${document} has no code in a form that these tests would skip`, () => {
      assert.doesNotMatch(markdown, /^[ \t]+```/m);
    });
    for (const snippet of snippetsOf(markdown)) {
      const { language, marks, code, output, line } = snippet;
      test(`${document}:${line}: ${language}`, { timeout: PATIENCE }, async (t) => {
        const from = marks.find((mark) => mark.startsWith("from="));
        if (from !== undefined) {
          const file = readFileSync(join(root, from.slice("from=".length)), "utf8");
          assert(file.includes(code), `it is not in ${from}`);
          return;
        }
        if (marks.some((mark) => mark.startsWith("tried="))) {
          const tried = marks.find((mark) => /^tried=(?:\w|\.)+-\d+\.\d|^tried=tests\/.*\.mjs$/.test(mark));
          assert(tried, "it does not say with which version it was tried, or which file tests it");
          return;
        }
        const name = marks.includes("browser") ? "browser" : (LANGUAGES.get(language) ?? language);
        const runner = RUNNERS[name];
        assert(runner, `nothing runs ${name}`);
        const printed = await runner(snippet, t);
        const expected = output ?? "";
        const isAsExpected = output === undefined ? printed.length === 0 : isOutput(expected, printed);
        assert(isAsExpected, `it printed:\n${printed.join("\n")}\nand not:\n${expected}`);
      });
    }
  }
});

test("the files that CONTRIBUTING.md names exist", () => {
  const text = readFileSync(join(root, "CONTRIBUTING.md"), "utf8");
  const paths = [...text.matchAll(/`((?:crates|docs|examples|js|src|tests|types|www)\/[\w./-]+)`/g)].map(
    ([, path = ""]) => path,
  );
  assert(paths.length > 5);
  // NAME is a placeholder for something new.
  const missing = paths.filter((path) => !path.includes("NAME") && !existsSync(join(root, path)));
  assert.deepEqual(missing, []);
});
