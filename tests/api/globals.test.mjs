// Runs and modules have their own globals, and cannot change those of others or of the host.
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

test("a run cannot replace functions that the next run calls", async (t) => {
  /** @type {string[]} */
  const lines = [];
  const luau = await vm(t, { print: (text) => lines.push(text), globals: { greet: () => "hello" } });
  const attack = "print = function() stolen = true end greet = print string = {} print('unseen')";
  assert.deepEqual(await luau.run(`${attack} return stolen, greet == print`), [true, true]);
  assert.deepEqual(await luau.run("print(greet(), string.rep('x', 2)) return stolen"), [undefined]);
  assert.deepEqual(lines, ["hello\txx"]);
  assert.equal(luau.get("stolen"), undefined);
});

test("functions keep the globals of the run that created them, also in threads and callbacks", async (t) => {
  const luau = await vm(t);
  const source = `
    count = 0
    return function()
      task.spawn(function() count += 1 end)
      coroutine.wrap(function() count += 1 end)()
      return loadstring("count += 1 return count")()
    end`;
  const [one, other] = /** @type {(() => Promise<unknown[]>)[]} */ (
    (await Promise.all([luau.run(source), luau.run(source)])).flat()
  );
  assert(one && other);
  assert.deepEqual(await one(), [3]);
  assert.deepEqual(await one(), [6]);
  assert.deepEqual(await other(), [3]);
  assert.deepEqual(await luau.run("return count"), [undefined]);
});

test("each module has its own globals", async (t) => {
  const luau = await vm(t, {
    modules: { m: "secret = 'of the module' return { get = function() return secret end }" },
  });
  const source = "secret = 'of the run' local m = require('./m') return secret, m.get()";
  assert.deepEqual(await luau.run(source), ["of the run", "of the module"]);
});

test("getfenv, setfenv, loadstring and _G reach only the globals of their own run", async (t) => {
  const luau = await vm(t, {
    globals: { host: () => 1 },
    modules: {
      m: `
        secret = "of the module"
        local environment = setmetatable({ hidden = true }, { __index = getfenv() })
        return table.freeze({
          get = function() return secret end,
          call = function(f, ...) return f(...) end,
          custom = setfenv(function() return hidden end, environment),
          caller = function() return getfenv(2) end,
          asked = function() return getfenv(), getfenv(0), getfenv(1) end,
        })`,
    },
  });
  const [problems] = await luau.run(`
    local m = require("./m")
    local own, problems = getfenv(), {}
    local function check(name, ok)
      if not ok then table.insert(problems, name) end
    end
    check("_G", _G ~= own and getfenv(0) == own and getfenv(1) == own)
    for name, f in { get = m.get, call = m.call, custom = m.custom, print = print, wait = task.wait, host = host,
      floor = math.floor, loadstring = loadstring, getfenv = getfenv } do
      check("getfenv " .. name, getfenv(f) == own)
      check("setfenv " .. name, not pcall(setfenv, f, {}))
    end
    -- A function of the module calls our getfenv, which still reaches only our globals.
    check("m.call(getfenv)", m.call(getfenv) == own and m.call(getfenv, 1) == own and m.call(getfenv, m.get) == own)
    check("m.call(setfenv)", not pcall(m.call, setfenv, 1, {}))
    check("coroutine.wrap(getfenv)", coroutine.wrap(getfenv)(0) == own)
    m.call(loadstring, "injected = secret")()
    m.call(loadstring("injected = secret"))
    -- The getfenv of the module does not reach our globals either.
    check("m.caller", m.caller() ~= own and rawget(m.caller(), "secret") == "of the module")
    check("setfenv(0)", not pcall(setfenv, 0, {}))
    -- Nothing can write to the shared globals.
    local metatable = getmetatable(own)
    local shared = metatable.__index
    for name, attempt in {
      assign = function() shared.print = 1 end, rawset = function() rawset(shared, "x", 1) end,
      clear = function() table.clear(shared) end, set = function() setmetatable(shared, {}) end,
      index = function() metatable.__index = {} end, insert = function() table.insert(shared, 1) end,
      adopt = function() setfenv(function() end, shared) end, move = function() table.move({ 1 }, 1, 1, 1, shared) end,
    } do
      check(name, not pcall(attempt))
    end
    check("secret", rawget(own, "secret") == nil and m.get() == "of the module")
    return problems`);
  assert.deepEqual(problems, []);
  assert.deepEqual(await luau.run("return injected, secret, require('./m').get()"), [
    undefined,
    undefined,
    "of the module",
  ]);
});

test("a script can give its own functions environments", async (t) => {
  const luau = await vm(t);
  const source = `
    local function f() return x end
    local environment = setmetatable({ x = "inner" }, { __index = getfenv() })
    x = "outer"
    local before, same = f(), setfenv(f, environment) == f
    local after, found = f(), getfenv(f) == environment
    setfenv(1, environment)
    y = print
    getfenv().print = "replaced"
    return before, same, after, found, rawget(environment, "y") == environment.y, print`;
  assert.deepEqual(await luau.run(source), ["outer", true, "inner", true, true, "replaced"]);
  assert.deepEqual(await luau.run("local f = 1 return pcall(setfenv, 99, {})"), [
    false,
    "invalid argument #1 to 'setfenv' (invalid level)",
  ]);
  assert.deepEqual(await luau.run("getfenv().print = 'replaced' return print"), ["replaced"]);
});

test("tables that the host passes as globals are read-only at every level", async (t) => {
  const list = [[{ deep: 1 }]];
  const config = { list, again: list, map: new Map([[5, { x: 1 }]]) };
  const luau = await vm(t, { globals: { config } });
  luau.set("later", { nested: { x: 1 } });
  for (const source of [
    "config.list = 1",
    "config.list[1] = 1",
    "config.list[1][1].deep = 2",
    "table.insert(config.list[1], 1)",
    "config.map[5].x = 2",
    "later.x = 1",
    "later.nested.x = 2",
  ]) {
    await assert.rejects(luau.run(source), /readonly/, source);
  }
  assert.deepEqual(await luau.run("return config.list == config.again, config"), [true, config]);
  // A script may change copies and values of its own.
  const change =
    "local list, config = ... list[1].x = 2 config = table.clone(config) config.y = 3 return list, config.y";
  assert.deepEqual(await luau.run(change, { args: [[{ x: 1 }], {}] }), [[{ x: 2 }], 3]);
});

test("a buffer among the globals is one for all scripts, and a function gives each its own", async (t) => {
  const luau = await vm(t, { globals: { shared_bytes: new Uint8Array(1), bytes: () => new Uint8Array(1) } });
  const write = "buffer.fill(shared_bytes, 0, 7) buffer.fill(bytes(), 0, 7)";
  const read = "return buffer.readu8(shared_bytes, 0), buffer.readu8(bytes(), 0)";
  await luau.run(write);
  assert.deepEqual(await luau.run(read), [7, 0]);
});

test("set reaches scripts that already run, and no script can replace its globals for others", async (t) => {
  const luau = await vm(t, { globals: { old: () => 1 } });
  const [call] = /** @type {(() => Promise<unknown[]>)[]} */ (
    await luau.run("return function() return old(), math.abs(-1), fresh end")
  );
  assert(call);
  assert.deepEqual(await call(), [1, 1, undefined]);
  luau.set("old", () => 2);
  luau.set("math", { abs: () => 7 });
  luau.set("fresh", "new");
  assert.deepEqual(await call(), [2, 7, "new"]);
  await luau.run("old = nil math = nil fresh = nil rawset(getfenv(), 'fresh', 0)");
  assert.deepEqual(await luau.run("return old(), math.abs(-1), fresh"), [2, 7, "new"]);
  assert.equal(luau.get("fresh"), "new");
  luau.set("fresh", undefined);
  assert.deepEqual(await luau.run("return fresh"), [undefined]);
});

test("the host can replace a library before and after scripts run", async (t) => {
  for (const globalScope of /** @type {const} */ (["run", "vm"])) {
    const math = { abs: () => 7 };
    const luau = await vm(t, { globalScope, globals: { math, type: () => "mine" } });
    assert.deepEqual(await luau.run("return math.abs(-1), type(1), string.byte('a')"), [7, "mine", 97]);
    luau.set("string", { byte: () => 8 });
    assert.deepEqual(await luau.run("return math.abs(-1), type(1), string.byte('a')"), [7, "mine", 8]);
    luau.set("string", undefined);
    assert.deepEqual(await luau.run("return string.byte('a')"), [97]);
  }
});

test("the host can replace loadstring, getfenv and setfenv", async (t) => {
  const luau = await vm(t, { globals: { loadstring: () => "refused", getfenv: false, setfenv: false } });
  assert.deepEqual(await luau.run("return loadstring('return 1'), getfenv, setfenv"), [
    "refused",
    false,
    false,
  ]);
});

test('with globalScope: "vm" runs and modules share their globals', async (t) => {
  const luau = await vm(t, {
    globalScope: "vm",
    globals: { given: { x: 1 } },
    modules: { m: "fromModule = true return 1" },
  });
  await luau.run("function twice(x) return 2 * x end require('./m')");
  assert.deepEqual(await luau.run("return twice(4), fromModule, loadstring('return twice')() == twice"), [
    8,
    true,
    true,
  ]);
  assert.equal(luau.get("fromModule"), true);
  luau.set("twice", "replaced");
  assert.deepEqual(await luau.run("local old = twice twice = 1 return old, twice, _G.twice"), [
    "replaced",
    1,
    1,
  ]);
  assert.equal(luau.get("twice"), 1);
  await assert.rejects(luau.run("given.x = 2"), /readonly/);
});

test("without the sandbox there is one table of globals, which scripts may change freely", async (t) => {
  const luau = await vm(t, { sandbox: false, globals: { given: { x: { y: 1 } } } });
  await luau.run("given.x.y = 2 function string.twice(s) return s .. s end print = 'replaced' _G.x = 3");
  assert.deepEqual(await luau.run("return given.x.y, ('a'):twice(), print, x, loadstring('return x')()"), [
    2,
    "aa",
    "replaced",
    3,
    3,
  ]);
  await assert.rejects(
    Luau.create({ sandbox: false, globalScope: "run" }),
    /option globalScope: "run" needs the sandbox/,
  );
  await assert.rejects(Luau.create(/** @type {any} */ ({ globalScope: "page" })), /option globalScope/);
});
