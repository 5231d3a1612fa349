// A string of a script is a string for the host, or an error, but never something that only resembles one.
//
// Tier: default.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { Luau, LuauError } from "../../pkg/node.js";

/** @type {Luau} */
let luau;
/** @type {unknown[]} */
let got = [];
/** @type {unknown[]} */
let shown = [];

before(async () => {
  luau = await Luau.create({
    print: (_, values) => {
      shown = values();
    },
    globals: {
      take: (/** @type {unknown[]} */ ...values) => {
        got = values;
      },
      // Like a host that checks a path. A `Uint8Array` also has `includes`.
      open: (/** @type {string} */ path) => (path.includes("..") ? "denied" : `opened ${path}`),
      give: () => "\xff",
    },
  });
});
beforeEach(() => {
  got = [];
});
after(() => luau.dispose());

const MESSAGE =
  "a string for JavaScript must be valid UTF-8; to pass bytes, use a buffer: buffer.fromstring(text)";

test("a host function gets no string that is not UTF-8", async () => {
  for (const [value, type] of [
    ["'\\xff'", "a string"],
    ["'../\\xff'", "with text"],
    ["string.rep('x', 1000) .. '\\xff'", "a long one"],
    ["'\\xed\\xa0\\x80'", "a surrogate"],
    ["'\\xc0\\xae'", "an overlong form"],
    ["1, { a = { '\\xff' } }", "in a table"],
    ["{ ['\\xff'] = 1 }", "a key"],
    ["{ ['\\xff'] = 1, [true] = 2 }", "a key of a Map"],
  ]) {
    const source = `take()\nlocal ok, message = pcall(function()\ntake(${value})\nend)\nreturn ok, message`;
    assert.deepEqual(await luau.run(source, { chunkName: "main" }), [false, `main:3: ${MESSAGE}`], type);
    assert.deepEqual(got, [], type);
  }
  await assert.rejects(luau.run("return open('..\\xff')"), { kind: "runtime" });
  assert.deepEqual(await luau.run("return open('../x'), open('x'), open('grüße \\0')"), [
    "denied",
    "opened x",
    "opened grüße \0",
  ]);
});

test("nor does the host get one as a result", async () => {
  const isRefused = (/** @type {unknown} */ error) =>
    error instanceof LuauError && error.kind === "runtime" && error.message === MESSAGE;
  await assert.rejects(luau.run("return '\\xff'"), isRefused);
  await assert.rejects(luau.run("return { '\\xff' }"), isRefused);
  const [f] = /** @type {(() => Promise<unknown[]>)[]} */ (
    await luau.run("return function() return '\\xff' end")
  );
  await assert.rejects(async () => f?.(), isRefused);
  const open = await Luau.create({ globalScope: "vm" });
  await open.run("bytes = '\\xff'");
  assert.throws(() => open.get("bytes"), isRefused);
  open.dispose();
});

test("bytes go as buffers", async () => {
  await luau.run("take(buffer.fromstring('\\xff\\0'), { buffer.fromstring('') })");
  assert.deepEqual(got, [new Uint8Array([255, 0]), [new Uint8Array()]]);
  const bytes = new Uint8Array([1, 255]);
  assert.deepEqual(await luau.run("return buffer.fromstring(buffer.tostring(...))", { args: [bytes] }), [
    bytes,
  ]);
  assert.deepEqual(await luau.run("return #give()"), [2]);
});

test("what is only shown comes as bytes", async () => {
  await luau.run("print('\\xff', { '\\xfe' })");
  assert.deepEqual(shown, [new Uint8Array([255]), [new Uint8Array([254])]]);
  await assert.rejects(luau.run("error({ text = '\\xff' })"), (/** @type {any} */ error) => {
    assert.deepEqual(error.value, { text: new Uint8Array([255]) });
    return true;
  });
});

test("a long text is whole, wherever its parts end", async () => {
  const luau = await Luau.create();
  for (const before of ["", "x", "€"]) {
    const [text] = await luau.run("return ... .. string.rep('é🎉', 3e6)", { args: [before] });
    assert(text === before + "é🎉".repeat(3e6));
  }
  luau.dispose();
});
