// The type checker knows our libraries from types/*.d.luau, and finds the real problems and no others.
//
// Tier: default.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const read = (/** @type {string} */ path) => readFileSync(root + path, "utf8");

/** @type {any} */
let checker;

before(async () => {
  const { default: init, Checker } = await import(`${root}target/checker/checker.js`);
  await init({ module_or_path: readFileSync(`${root}target/checker/checker_bg.wasm`) });
  checker = new Checker();
  for (const file of readdirSync(`${root}types`)) {
    checker.define(file, read(`types/${file}`));
  }
});

/**
 * Returns the problems of a script.
 *
 * @param {string} source
 * @param {Record<string, string>} [others]
 */
function check(source, others = {}) {
  const files = { main: source, ...others };
  checker.setFiles(Object.keys(files), Object.values(files));
  return checker
    .check("main")
    .map((/** @type {any} */ { line, column, message }) => `${line}:${column} ${message}`);
}

/** @type {[string, RegExp][]} */
const wrong = [
  ["local n: number = 'text'", /^1:\d+ .*number.*string/],
  ["task.wait('soon')", /^1:11 .*number.*string/],
  ["websocket.conect('ws://a')", /^1:1 .*conect/],
  ["local ws = websocket.connect('ws://a') if ws then ws:Send(5) end", /^1:59 .*number/],
  ["local ws = websocket.connect('ws://a') if ws then ws:Shout('a') end", /Shout/],
  ["json.decode(5)", /^1:13 .*string.*number/],
  ["local text: string = json.decode('1') print(txt)", /txt/],
];

for (const [source, finding] of wrong) {
  test(`found: ${source}`, () => {
    const found = check(`--!strict\n${source}`).map((/** @type {string} */ text) =>
      text.replace(/^(\d+)/, (line) => String(Number(line) - 1)),
    );
    assert(
      found.some((/** @type {string} */ text) => finding.test(text)),
      found.join("\n") || "nothing was found",
    );
  });
}

test("columns count UTF-16 code units, as editors do", () => {
  const [found] = check("--!strict\nprint('😀', undefined_name)");
  assert.match(found, /^2:13 /);
});

test("a module has the type of the value that it returns", () => {
  const module =
    "--!strict\nlocal list = {}\nfunction list.size(t: { any }): number return #t end\nreturn list";
  const source = (/** @type {string} */ use) => `--!strict\nlocal list = require('./list')\n${use}`;
  assert.deepEqual(check(source("print(list.size({}) + 1)"), { list: module }), []);
  assert.match(check(source("local s: string = list.size({})"), { list: module })[0], /^3:.*string.*number/);
});

test("the examples have no problems in strict mode", () => {
  const folder = "www/examples/";
  for (const name of readdirSync(root + folder).filter((name) => name.endsWith(".luau"))) {
    assert.deepEqual(check(read(folder + name)), [], name);
  }
  const modules = Object.fromEntries(
    ["room", "bot/commands", "bot/dice"].map((name) => [name, read(`${folder}modules/${name}.luau`)]),
  );
  assert.deepEqual(check(read(`${folder}modules/main.luau`), modules), []);
});
