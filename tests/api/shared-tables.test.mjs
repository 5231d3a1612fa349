// `_G` and `shared` are writable tables that a run shares with its modules; they are not the globals themselves.
//
// Tier: default.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Luau } from "../../pkg/node.js";

/**
 * Creates a VM that is disposed at the end of a test.
 *
 * @param {import("node:test").TestContext} t
 * @param {import("../../pkg/node.js").LuauOptions} [options]
 */
async function vm(t, options) {
  const luau = await Luau.create(options);
  t.after(() => luau.dispose());
  return luau;
}

/** @type {Record<string, string>} */
const MODULES = {
  writer: "_G.fromModule = 'written' shared.fromModule = 'too' return require('./reader')",
  reader: "return function() return _G.score, _G.fromModule, shared.fromModule end",
  later: "task.wait() return function() return _G.score end",
};

test("a run and the modules that it loads have the same tables", async (t) => {
  const luau = await vm(t, { modules: MODULES });
  const source = `
    _G.score = 1
    local read = require("./writer")
    local later = require("./later")
    _G.score += 1
    return _G.fromModule, shared.fromModule, later(), read()`;
  assert.deepEqual(await luau.run(source), ["written", "too", 2, 2, "written", "too"]);
});

test("modules that come later and those of coroutines have them too", async (t) => {
  const luau = await vm(t, { modules: async (path) => MODULES[path] });
  const source = `
    _G.score = 7
    local read
    coroutine.wrap(function() pcall(function() read = require("./later") end) end)()
    repeat task.wait() until read
    return read()`;
  assert.deepEqual(await luau.run(source), [7]);
});

test("they are no globals, and are read as the libraries where nothing was written", async (t) => {
  const luau = await vm(t, { globals: { host: "given" } });
  const source = `
    _G.x = 1
    y = 2
    _G.print = "replaced"
    local keys = {}
    for key in _G do table.insert(keys, key) end
    table.sort(keys)
    return x, _G.y, keys, type(print), _G.pairs == pairs, _G.math.abs(-3), _G.host, rawget(_G, "pairs"), shared.pairs`;
  assert.deepEqual(await luau.run(source), [
    undefined,
    undefined,
    ["print", "x"],
    "function",
    true,
    3,
    "given",
    undefined,
    undefined,
  ]);
});

test("each run has its own", async (t) => {
  const luau = await vm(t, { modules: MODULES });
  await luau.run("_G.score = 1 shared.score = 1 require('./reader')");
  assert.deepEqual(await luau.run("return _G.score, shared.score"), [undefined, undefined]);
  // A module belongs to the run that loaded it.
  assert.deepEqual(await luau.run("_G.score = 2 return require('./reader')()"), [1, undefined, undefined]);
});

test("the host's tables fill them", async (t) => {
  const globals = { _G: { __DEV__: true, config: { deep: 1 } }, shared: { level: 3 } };
  for (const options of /** @type {import("../../pkg/node.js").LuauOptions[]} */ ([
    {},
    { globalScope: "vm" },
    { sandbox: false },
  ])) {
    const luau = await vm(t, { globals, ...options });
    const source = `
      _G.__DEV__ = _G.__DEV__ == true and "changed"
      shared.level += 1
      _G.new, shared.new = 1, 1
      return _G.__DEV__, _G.config.deep, shared.level, _G.new, shared.new, _G.pairs == pairs`;
    assert.deepEqual(await luau.run(source), ["changed", 1, 4, 1, 1, true], JSON.stringify(options));
    luau.set("shared", { level: 10 });
    assert.deepEqual(await luau.run("return shared.level"), [10], JSON.stringify(options));
  }
  const luau = await vm(t, { globals });
  // Each run starts with the host's values, and the host's own tables stay unchanged.
  assert.deepEqual(await luau.run("_G.__DEV__ = 5 return _G.__DEV__"), [5]);
  assert.deepEqual(await luau.run("return _G.__DEV__"), [true]);
  await assert.rejects(luau.run("_G.config.deep = 2"), /readonly/);
  luau.set("_G", undefined);
  assert.deepEqual(await luau.run("return _G.__DEV__, type(_G)"), [undefined, "table"]);
});

test("a host may take them away", async (t) => {
  const luau = await vm(t, { globals: { _G: false, shared: false } });
  assert.deepEqual(await luau.run("return _G, shared"), [false, false]);
});

test('with globalScope: "vm" all scripts have them, and _G is the globals', async (t) => {
  const luau = await vm(t, { globalScope: "vm", modules: MODULES });
  await luau.run("_G.score = 1 shared.score = 2 x = 3");
  assert.deepEqual(await luau.run("return _G.score, score, shared.score, _G.x, require('./reader')()"), [
    1,
    1,
    2,
    3,
    1,
    undefined,
    undefined,
  ]);
});

test("functions in them do not keep a run's globals", async (t) => {
  const luau = await vm(t);
  /** Runs scripts, and returns the memory in use once their garbage is collected. @param {number} count */
  const memoryAfter = async (count) => {
    for (let index = 0; index < count; index++) {
      await luau.run("_G.f, shared.f = function() return _G end, function() return shared end");
    }
    // The memory in use includes garbage that is not collected yet.
    let least = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 20; round++) {
      await luau.run("for _ = 1, 40 do local waste = buffer.create(1e6) end");
      least = Math.min(least, luau.stats.memory);
    }
    return least;
  };
  const before = await memoryAfter(200);
  const more = (await memoryAfter(20_000)) - before;
  // The globals of a run take more than a kilobyte. Garbage that is not collected yet accounts for several megabytes.
  assert(more < 14_000_000, `${more} bytes more after 20,000 runs`);
});
