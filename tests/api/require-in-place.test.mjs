// `require` returns without yielding if the source is at hand and the module does not yield.
//
// Tier: default.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Luau } from "../../pkg/node.js";

/**
 * Runs a script with these modules, and returns its results.
 *
 * @param {import("../../pkg/node.js").LuauOptions["modules"]} modules
 * @param {string} source
 * @param {import("../../pkg/node.js").LuauOptions} [options]
 */
async function run(modules, source, options) {
  const luau = await Luau.create({ modules, ...options });
  try {
    return await luau.run(source);
  } finally {
    luau.dispose();
  }
}

/** @type {Record<string, string>} */
const MODULES = {
  a: "return { name = 'a', b = require('./b') }",
  b: "return 'b'",
  waits: "task.wait() return 'waited'",
  fails: "error('inside')",
  broken: "return +",
  computes: "local sum = 0 for i = 1, 3e6 do sum += i end return sum",
  one: "return require('./two')",
  two: "return require('./one')",
};

const AT_HAND = [MODULES, (/** @type {string} */ path) => MODULES[path]];

test("in a metamethod, a comparator, a callback and a coroutine", async () => {
  for (const modules of AT_HAND) {
    for (const [source, expected] of /** @type {[string, unknown[]][]} */ ([
      ["return setmetatable({}, { __index = function(_, key) return require('./' .. key).b end }).a", ["b"]],
      ["local t = { 2, 1 } table.sort(t, function(x, y) require('./a') return x < y end) return t", [[1, 2]]],
      ["return (string.gsub('x', 'x', function() return require('./b') end))", ["b"]],
      ["return coroutine.wrap(function() return require('./a').b end)()", ["b"]],
      ["return coroutine.wrap(require)('./b')", ["b"]],
      ["return require('./a') == require('./a'), require('./a').name", [true, "a"]],
    ])) {
      assert.deepEqual(await run(modules, source), expected, source);
    }
  }
});

test("what a module throws is thrown in place, with its kind and frames", async () => {
  for (const modules of AT_HAND) {
    const inMetamethod = (/** @type {string} */ path) =>
      `return pcall(function() return setmetatable({}, { __index = function() return require("./${path}") end }).x end)`;
    assert.deepEqual(await run(modules, inMetamethod("fails")), [
      false,
      'script:1: cannot load module "fails": fails:1: inside',
    ]);
    const [ok, message] = await run(modules, inMetamethod("broken"));
    assert.equal(ok, false);
    assert.match(String(message), /^script:1: cannot load module "broken": broken:1: /);
    assert.match(String((await run(modules, inMetamethod("missing")))[1]), /module not found: "missing"/);
    assert.match(
      String((await run(modules, inMetamethod("one")))[1]),
      /circular dependency: two -> one -> two/,
    );
    await assert.rejects(run(modules, "require('./broken')"), { kind: "syntax" });
    await assert.rejects(run(modules, "\nrequire('./fails')"), (error) => {
      const { frames } = /** @type {import("../../pkg/node.js").LuauError} */ (error);
      assert.deepEqual(
        frames.map(({ chunkName, line }) => `${chunkName}:${line}`),
        ["fails:1", "script:2"],
      );
      return true;
    });
  }
});

test("a module that yields is waited for, and its thread goes on where nobody can wait", async () => {
  const source = `
    local t = setmetatable({}, { __index = function() return require("./waits") end })
    local ok, message = pcall(function() return t.x end)
    return ok, message, require("./waits"), t.x`;
  assert.deepEqual(await run(MODULES, source), [
    false,
    "script:2: attempt to yield across metamethod/C-call boundary",
    "waited",
    "waited",
  ]);
});

test("a module that fails is loaded anew", async () => {
  let count = 0;
  const modules = () => (++count === 1 ? "error('once')" : "return 'later'");
  assert.deepEqual(await run(modules, "return (pcall(require, './x')), require('./x')"), [false, "later"]);
});

test("modules require one another a thousand deep", async () => {
  const modules = (/** @type {string} */ path) =>
    path === "m1000" ? "return 1000" : `return require("./m${Number(path.slice(1)) + 1}")`;
  assert.deepEqual(await run(modules, "return require('./m1')"), [1000]);
});

test("limits of time and slices hold while a module runs in place", async () => {
  assert.deepEqual(await run(MODULES, "return require('./computes')", { timeSlice: 1 }), [4500001500000]);
  await assert.rejects(
    run({ endless: "while true do end" }, "pcall(require, './endless')", { timeLimit: 100 }),
    { kind: "timeout" },
  );
});
