// The editor knows Luau: its tokens, blocks and indentation, completion and explanations, and every existing global.
//
// Tier: default.

import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { Luau } from "../../pkg/node.js";
import { timesBelow } from "../ratio.mjs";

const editorFolder = fileURLToPath(new URL("../../www/src/editor/", import.meta.url));
const examples = fileURLToPath(new URL("../../www/examples/", import.meta.url));

const MODULES = [
  "blocks",
  "completion",
  "definitions",
  "explanation",
  "luau-mode",
  "problems",
  "scan",
  "tokenizer",
  "tokenizer-state",
];

/** @type {any} */
let editor;
/** @type {any} */
let definitions;
/** @type {string} */
let folder;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "luau-editor-"));
  const outfile = join(folder, "editor.mjs");
  const exports = MODULES.map((name) => `export * from "./${name}.js";`);
  await build({
    stdin: {
      contents: [...exports, 'export { EditorState, Text } from "@codemirror/state";'].join("\n"),
      resolveDir: editorFolder,
      loader: "ts",
    },
    bundle: true,
    format: "esm",
    platform: "node",
    outfile,
    plugins: [
      {
        // For such imports Vite returns the text of the file.
        name: "raw",
        setup({ onResolve, onLoad }) {
          onResolve({ filter: /\?raw$/ }, ({ path, resolveDir }) => ({
            path: resolve(resolveDir, path.replace("?raw", "")),
            namespace: "raw",
          }));
          onLoad({ filter: /.*/, namespace: "raw" }, async ({ path }) => ({
            contents: await readFile(path, "utf8"),
            loader: "text",
          }));
        },
      },
    ],
  });
  editor = await import(pathToFileURL(outfile).href);
  definitions = editor.allDefinitions();
});

after(() => rm(folder, { recursive: true, force: true }));

/**
 * Returns the tokens of a source that have a style.
 *
 * @param {string} source
 * @param {RegExp} styles
 */
function tokens(source, styles) {
  return editor
    .scan(source)
    .tokens.filter((/** @type {any} */ { style }) => styles.test(style))
    .map((/** @type {any} */ { text }) => text)
    .join(" ");
}

/** @param {string} marked a source with `|` at the cursor */
function atCursor(marked) {
  const offset = marked.indexOf("|");
  return { source: marked.slice(0, offset) + marked.slice(offset + 1), offset };
}

/**
 * Returns the labels that the editor suggests at the cursor.
 *
 * @param {string} marked
 * @param {{ asked?: boolean, fileName?: string, fileNames?: string[] }} [options]
 * @returns {string[]}
 */
function completed(marked, { asked = false, fileName = "main", fileNames = ["main"] } = {}) {
  const { source, offset } = atCursor(marked);
  const found = editor.suggestionsAt(source, offset, { definitions, fileName, fileNames }, asked);
  return (found?.options ?? []).map((/** @type {any} */ { label }) => label);
}

/** @param {string} marked */
function explained(marked) {
  const { source, offset } = atCursor(marked);
  return editor.explanationAt(source, offset, definitions);
}

test("types are told from expressions wherever they can appear", () => {
  for (const [source, types] of /** @type {[string, string][]} */ ([
    ["local x: number, y: {string}? = a, b", "number string"],
    ["local function f<T>(a: T, ...: any): (T, string) return a end", "T T any T string"],
    ["type Map<K, V = any> = { [K]: V, read size: number }", "Map K V any K V number"],
    ["export type F = <T>(value: T) -> ...T\nf()", "F T T T"],
    ["type U =\n\t| 'a'\n\t| typeof(x) & Y\nlocal z", "U Y"],
    ["x = (a :: any) + b", "any"],
    ["for i: number, v in list do v:method() end", "number"],
    ["local f: (number) -> string? = nil\n(g or h)()", "number string"],
    ["obj:method() local t = type(x) type = 1", ""],
    ["f<<number>>(1)", "number"],
  ])) {
    assert.equal(tokens(source, /^typeName/), types, source);
  }
});

test("strings have escapes, long brackets, and interpolated expressions with strings in them", () => {
  assert.equal(tokens("x = `a{b .. `c{d}e`}f` .. g", /^variableName/), "x b d g");
  assert.equal(tokens("x = 'a\\n\\u{1F600}\\x41\\065\\z' y", /^escape/), "\\n \\u{1F600} \\x41 \\065 \\z");
  assert.equal(tokens("x = [==[ a ]] b\n ]==] y --[=[ c ]]\n d ]=] z", /^variableName/), "x y z");
  assert.equal(tokens("x = 'not ended\ny = 1", /^variableName/), "x y");
  assert.equal(tokens("x = 'goes \\\non' y", /^variableName/), "x y");
  assert.equal(tokens("x = `not ended\ny = 1", /^variableName/), "x y");
});

test("contextual keywords are recognized by their place, and numbers and operators are single tokens", () => {
  assert.equal(
    tokens("while a do continue end continue = 1 t.continue = 2", /Keyword/),
    "while do continue end",
  );
  assert.equal(tokens("export type A = B type = type const x = 1 const = 2", /Keyword/), "export type const");
  assert.equal(tokens("x //= 0xFF_0 y ..= 0b1_0 z += 1e-3 w = .5", /^number/), "0xFF_0 0b1_0 1e-3 .5");
  assert.equal(tokens("x //= 1 y ..= 2 z ^= 3", /^operator/), "//= ..= ^=");
  assert.equal(
    tokens("--!strict\n@native @[deprecated { use = 'x' }] function f() end", /^meta/),
    "--!strict @native @[",
  );
});

test("every example closes its blocks and is indented as the editor would indent it", async () => {
  const names = (await readdir(examples, { recursive: true })).filter((name) => name.endsWith(".luau"));
  assert(names.length > 5);
  for (const name of names) {
    const source = (await readFile(join(examples, name), "utf8")).replace(/^\t+/gm, (tabs) =>
      "    ".repeat(tabs.length),
    );
    assert.equal(editor.scan(source).end.top, undefined, name);
    assert.equal(indented(source), source, name);
  }
});

test("a line is indented by the blocks and brackets that are open before it", () => {
  const source = `if a
    and b
then
    call(function(x: number): string
        return if x then
            1 else 2
    end, {
        key = value,
    })
elseif c then
    repeat
        local y =
            1
    until y
else
    object
        :method()
end
type T =
    | A
    | { b: C }
local z = if a
    then b
    else c
done()`;
  assert.equal(indented(source), source);
});

/**
 * Returns a source with the indentation of the editor.
 *
 * @param {string} source
 */
function indented(source) {
  /** @type {string[]} */
  const lines = [];
  for (const line of source.split("\n")) {
    const before = lines.map((line) => `${line}\n`).join("");
    const { end } = editor.scan(before);
    const columns = editor.indentation(end, line.trimStart(), { unit: 4 });
    lines.push(columns === null ? line : " ".repeat(line.trim() === "" ? 0 : columns) + line.trimStart());
  }
  return lines.join("\n");
}

test("a fold hides a block from the end of its first line to its end", () => {
  const source = "call(function()\n\tif a then\n\t\tb()\n\telse\n\t\tc()\n\tend\nend)\nd()";
  const doc = editor.Text.of(source.split("\n"));
  const folded = [1, 2, 4, 8].map((number) => {
    const { from, to } = doc.line(number);
    const range = editor.foldedLines(editor.scan(source), doc, from, to);
    return range && source.slice(range.from, range.to);
  });
  const whole = "\n\tif a then\n\t\tb()\n\telse\n\t\tc()\n\tend\n";
  assert.deepEqual(folded, [whole, "\n\t\tb()\n\t", "\n\t\tc()\n\t", null]);
});

test("the editor closes a block that is still open, and no other", () => {
  for (const [marked, closer] of [
    ["if a then|", "end"],
    ["for i = 1, 2 do|", "end"],
    ["call(function(a: number): string|)", "end"],
    ["local function f()|", "end"],
    ["repeat|", "until "],
    ["local function f()\n\tif a then|\nend", "end"],
    ["if a then|\nend", undefined],
    ["if a then|\nelse\nend", undefined],
    ["local x = if a then|", undefined],
    ["call()|", undefined],
    ["local function f|", undefined],
    ["function f()\n\tcall()|", undefined],
    ["-- if a then|", undefined],
    ["if a then| b() end", undefined],
    ["local f: () -> ()|", undefined],
  ]) {
    const { source, offset } = atCursor(/** @type {string} */ (marked));
    assert.equal(editor.openedBefore(source, offset)?.closer, closer, marked);
  }
});

test("Enter closes a block in one step and leaves the cursor inside", () => {
  const doc = "\tcall(function())";
  const state = editor.EditorState.create({ doc, selection: { anchor: doc.length - 1 } });
  /** @type {any} */
  let next;
  const dispatch = (/** @type {any} */ transaction) => {
    next = transaction.state;
  };
  assert(editor.closeBlock({ state, dispatch }));
  assert.match(next.doc.toString(), /^\tcall\(function\(\)\n\s+\n\s+end\)$/);
  assert.equal(next.doc.lineAt(next.selection.main.head).number, 2);
});

test("members are completed for a value whose type is easy to find", () => {
  const connected = "local ws, reason = websocket.connect(url)\n";
  assert.deepEqual(completed("task.|"), ["spawn", "defer", "delay", "wait", "cancel"]);
  assert.deepEqual(completed(`${connected}ws:|`), ["Send", "Close", "Receive"]);
  for (const name of ["OnMessage", "OnClose", "State", "Send"]) {
    assert(completed(`${connected}ws.|`).includes(name), name);
  }
  for (const marked of [
    `${connected}ws.OnMessage:|`,
    "websocket.connect(url).OnClose:|",
    "local ws = assert(websocket.connect(`{base}/x`))\nlocal signal = ws.OnMessage\nsignal:|",
    "local function use(ws: WebSocketConnection?)\n\tws.OnMessage:|",
    "local ws = (open() :: any) :: WebSocketConnection\nws.OnMessage:|",
    "local old\nlocal ws = old or websocket.connect(url)\nws.OnMessage:|",
  ]) {
    assert.deepEqual(completed(marked), ["Connect", "Once", "Wait"], marked);
  }
  assert.deepEqual(completed(`${connected}local c = ws.OnMessage:Connect(print)\nc:|`), ["Disconnect"]);
  assert(completed(`${connected}for message in ws do message:|`).includes("upper"));
  assert(completed("('x'):|").includes("gsub"));
  assert.deepEqual(completed("local a = a.b\na:|"), []);
});

test("the members that a script gives to its tables are completed", () => {
  const made = "local M = { size = 1 }\nfunction M.new() end\nfunction M:grow() end\n";
  assert.deepEqual(completed(`${made}M.|`), ["size", "new", "grow"]);
  assert.deepEqual(completed(`${made}M:|`), ["new", "grow"]);
});

test("names are completed where they are in scope, and types where a type is expected", () => {
  const names = completed(
    "local outer = 1\ndo local gone = 2 end\nlocal function f(inner)\n\tfor key in x do k|",
  );
  assert.deepEqual(
    ["outer", "inner", "key", "f", "gone", "task", "while"].filter((name) => names.includes(name)),
    ["outer", "inner", "key", "f", "task", "while"],
  );
  const types = completed("type Mine = {}\nlocal x: M|");
  assert(types.includes("Mine") && types.includes("WebSocketConnection") && !types.includes("print"));
  assert.deepEqual(completed("websocket.connect(url, { t|").slice(0, 3), ["protocols", "timeout", "binary"]);
  for (const marked of ["-- ta|", "x = 'ta|", "local ta|", "function ta|", "x = 12|", "x = |"]) {
    assert.deepEqual(completed(marked), [], marked);
  }
  assert(completed("x = |", { asked: true }).includes("task"));
  assert(completed("x = `{ta|").includes("task"));
});

test("the paths of other files are completed by the rules of require", () => {
  const fileNames = ["main", "util", "lib/init", "lib/list", "lib/list/node", "@pkg/x"];
  const paths = (/** @type {string} */ fileName) => completed("require('|", { fileName, fileNames });
  assert.deepEqual(paths("main"), ["./lib", "./lib/list", "./lib/list/node", "./util", "@pkg/x"]);
  assert.deepEqual(paths("lib/init"), ["./main", "./util", "@pkg/x", "@self/list", "@self/list/node"]);
  assert.deepEqual(paths("lib/list"), ["../lib", "../main", "../util", "@pkg/x", "@self/node"]);
  assert(completed('local u = require "./u|', { fileNames }).includes("./util"));
});

test("a name is explained by its type and documentation", () => {
  const connected = "local ws = websocket.connect(url)\n";
  const explanation = explained("websocket.con|nect(url)");
  assert.equal(
    explanation.signature,
    "function websocket.connect(url: string, options: ConnectOptions?): (WebSocketConnection?, string?)",
  );
  assert.match(explanation.documentation, /^Yields until the connection is open/);
  assert.equal(
    explained(`${connected}ws:Se|nd()`).signature,
    "function WebSocketConnection:Send(message: string | buffer): ()",
  );
  assert.equal(
    explained(`${connected}ws.OnMessage:Wa|it()`).signature,
    "function Signal:Wait(): (string | buffer, boolean)",
  );
  assert.equal(explained(`${connected}print(w|s)`).signature, "ws: WebSocketConnection?");
  assert.equal(
    explained("local function f(a: number): string end\nf|()").signature,
    "function f(a: number): string",
  );
  assert.equal(
    explained("websocket.connect(url, { time|out = 1 })").signature,
    "ConnectOptions.timeout: number?",
  );
  assert.equal(explained("local task = {}\nta|sk.wait()").signature, undefined);
  assert.equal(explained("while |true do end"), undefined);
});

test("the definitions describe every global and library member, and nothing that does not exist", async () => {
  // These exist only for old scripts, and the editor does not suggest them.
  const old = new Set("getfenv setfenv table.foreach table.foreachi table.getn".split(" "));
  const luau = await Luau.create();
  const [found] = await luau.run(`
    local found = {}
    for _, globals in { getfenv(0), getmetatable(getfenv(0)).__index } do
      for name, value in globals do
        table.insert(found, name)
        if type(value) == "table" and name ~= "_G" then
          for member in value do table.insert(found, name .. "." .. member) end
        end
      end
    end
    return found
  `);
  luau.dispose();
  const described = [...definitions.globals.values()].flatMap(({ name, type, kind }) => [
    name,
    ...(kind === "library"
      ? [...definitions.types.get(type).members.keys()].map((member) => `${name}.${member}`)
      : []),
  ]);
  const real = new Set(/** @type {string[]} */ (found).filter((name) => !old.has(name)));
  assert.deepEqual([...new Set(described)].sort(), [...real].sort());
});

test("a problem is underlined at its place, even if the text has changed since the check", () => {
  const doc = editor.Text.of(["  one", "two"]);
  const at = (/** @type {any} */ start, /** @type {any} */ end = undefined) => {
    const [{ from, to }] = editor.problemsIn(doc, [
      { start, end, severity: "error", source: "syntax", message: "" },
    ]);
    return [from, to];
  };
  assert.deepEqual(at({ line: 1 }), [2, 5]);
  assert.deepEqual(at({ line: 2, column: 2 }, { line: 2, column: 3 }), [7, 8]);
  assert.deepEqual(at({ line: 9, column: 9 }, { line: 9, column: 12 }), [9, 9]);
});

test("scanning deeply nested brackets and blocks takes about as long as scanning plain lines", async () => {
  /** @param {string} piece */
  const scanTime = (piece) => {
    const source = piece.repeat(Math.floor(100_000 / piece.length));
    const start = performance.now();
    editor.scan(source);
    return performance.now() - start;
  };
  // The first call also compiles the scanner.
  scanTime("x = 1\n");
  const plain = Math.max(scanTime("x = 1\n"), scanTime("x = 1\n"));
  for (const piece of ["{\n", "(", "`{", "if a then ", "function() ", "x: {", ") {\n"]) {
    const [time] = await timesBelow(20, () => [scanTime(piece), plain]);
    assert(time < 20 * plain, `${JSON.stringify(piece)} took ${time} ms, and plain lines ${plain} ms`);
  }
});
