// An error that passes through host functions keeps its value, its kind, its frames and its text.
//
// Tier: default.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Luau, LuauError } from "../../pkg/node.js";
import { collectUntil } from "../garbage.mjs";

/** @typedef {(...args: unknown[]) => Promise<unknown[]>} Callback */

/** @type {Luau} */
let luau;

before(async () => {
  luau = await Luau.create({
    globals: {
      each: async (/** @type {unknown[]} */ list, /** @type {Callback} */ f) => {
        for (const item of list) {
          await f(item);
        }
      },
      call: (/** @type {Callback} */ f) => f(),
      run: (/** @type {string} */ source) => luau.run(source, { chunkName: "inner" }),
    },
  });
});
after(() => luau.dispose());

/**
 * Returns the error that a run is rejected with.
 *
 * @param {string} source
 * @returns {Promise<LuauError>}
 */
async function failure(source) {
  const error = await luau.run(source, { chunkName: "main" }).then(
    () => assert.fail("the run was not rejected"),
    (error) => error,
  );
  assert(error instanceof LuauError);
  return error;
}

test("a script catches the very value that was thrown", async () => {
  assert.deepEqual(
    await luau.run(`
      local thrown = setmetatable({ code = 7 }, { __tostring = function() return "seven" end })
      local results = {}
      for _, value in { thrown, print, newproxy(), vector.create(1, 2, 3), buffer.create(1), "\\xff", json.null } do
        local ok, caught = pcall(each, { 1 }, function() error(value, 0) end)
        table.insert(results, not ok and rawequal(caught, value))
      end
      local ok, caught = pcall(each, { 1 }, function() call(function() error(thrown) end) end)
      return results, rawequal(caught, thrown), getmetatable(caught) == getmetatable(thrown)`),
    [[true, true, true, true, true, true, true], true, true],
  );
  assert.deepEqual(await luau.run("return pcall(call, function() error(12.5, 0) end)"), [false, 12.5]);
  assert.deepEqual(await luau.run("return pcall(call, function() error(false) end)"), [false, false]);
});

test("the value of an error is kept for as long as the error", async () => {
  const SIZE = 20e6;
  const failed = async () => {
    const error = await failure(`error({ buffer.create(${SIZE}) })`);
    assert(luau.stats.memory > SIZE);
    return new WeakRef(error);
  };
  const error = await failed();
  await collectUntil(() => error.deref() === undefined);
  // Luau's collector runs while a script allocates.
  await collectUntil(() => {
    luau.run("for _ = 1, 1e5 do local _ = {} end");
    return luau.stats.memory < SIZE / 2;
  });
});

test("a text has one place, that of the error", async () => {
  const [, text] = await luau.run(
    "return pcall(function()\n  call(function()\n    call(function() error('oops') end)\n  end)\nend)",
    { chunkName: "main" },
  );
  assert.equal(text, "main:3: oops");
  assert.equal(
    (await failure("call(function()\n  call(function() error('oops') end)\nend)")).message,
    "main:2: oops",
  );
});

test("the host gets the value, the kind and all frames, and its own error as the cause", async () => {
  const error = await failure(`
    local function inner() error({ code = 7 }) end
    local function outer() each({ 1 }, inner) end
    outer()`);
  assert.deepEqual(error.value, { code: 7 });
  assert.equal(error.kind, "runtime");
  assert.deepEqual(
    error.frames.map(({ line, name }) => [line, name]),
    [
      [2, "inner"],
      [3, "outer"],
      [4, undefined],
    ],
  );
  assert.equal(error.line, 2);
  assert(!("cause" in error));
  const cause = new RangeError("of the host");
  luau.set("fail", () => {
    throw cause;
  });
  assert.equal((await failure("call(function() call(function() fail() end) end)")).cause, cause);
  // A script that rethrows the error.
  const again = await failure(`
    local ok, caught = pcall(call, function() error({ code = 8 }) end)
    task.wait()
    error(caught)`);
  assert.deepEqual(again.value, { code: 8 });
  assert.equal(again.line, 2);
  luau.set("fail", undefined);
});

test("the kind is kept", async () => {
  assert.equal((await failure("run('local =')")).kind, "syntax");
  const { errors } = await failure("call(function() run('local =') end)");
  assert(errors.length > 0);
  assert.deepEqual(errors, luau.check("local =")?.errors);
  const cancelled = await failure(`
    call(function()
      local thread = coroutine.running()
      task.defer(task.cancel, thread)
      task.wait(60)
    end)`);
  assert.equal(cancelled.kind, "cancelled");
  const limited = await Luau.create({
    timeLimit: 50,
    globals: { call: (/** @type {Callback} */ f) => f() },
  });
  await assert.rejects(limited.run("call(function() while true do end end)"), { kind: "timeout" });
  limited.dispose();
  const other = await Luau.create();
  const [f] = /** @type {Callback[]} */ (await other.run("return function() end"));
  other.dispose();
  luau.set("other", f);
  assert.equal((await failure("other()")).kind, "disposed");
  luau.set("other", undefined);
});

test("a script cannot give its own errors another kind", async () => {
  for (const source of [
    "call(function() error('not enough memory', 0) end)",
    "call(function() error({ kind = 'timeout' }) end)",
    "pcall(run, 'local =') error('mine')",
    "pcall(run, 'local =') error({})",
  ]) {
    assert.equal((await failure(source)).kind, "runtime", source);
  }
});

test("a host may throw an error of a script of its own making", async () => {
  luau.set("buy", async (/** @type {number} */ price) => {
    throw new LuauError("not enough money", { kind: "runtime", value: { price, missing: [1, 2] } });
  });
  luau.set("stop", () => {
    throw new LuauError("stopped by the host", { kind: "cancelled" });
  });
  assert.deepEqual(await luau.run("local ok, e = pcall(buy, 5) return e.price, #e.missing"), [5, 2]);
  assert.deepEqual(await luau.run("return pcall(function() stop() end)", { chunkName: "main" }), [
    false,
    "main:1: stopped by the host",
  ]);
  const bought = await failure("buy(5)");
  assert.deepEqual([bought.message, bought.kind], ["not enough money", "runtime"]);
  assert.deepEqual(bought.value, { price: 5, missing: [1, 2] });
  assert(bought.cause instanceof LuauError);
  const stopped = await failure("stop()");
  assert.deepEqual(
    [stopped.message, stopped.kind, stopped.line],
    ["main:1: stopped by the host", "cancelled", 1],
  );
  luau.set("buy", undefined);
  luau.set("stop", undefined);
});

test("an error of another VM keeps its text, its value and its frames", async () => {
  const other = await Luau.create();
  const [f] = await other.run("return function() error({ code = 9 }) end, 1", { chunkName: "other" });
  luau.set("other", f);
  assert.deepEqual(await luau.run("local ok, e = pcall(other) return e.code"), [9]);
  const error = await failure("other()");
  assert.deepEqual(error.value, { code: 9 });
  assert.deepEqual(
    error.frames.map(({ chunkName }) => chunkName),
    ["other", "main"],
  );
  luau.set("other", undefined);
  other.dispose();
});

test("nesting costs the same at every level", async () => {
  luau.set("nest", async (/** @type {number} */ level, /** @type {Callback} */ f) => f(level));
  const error = await failure(`
    local function nest_(level)
      if level == 0 then error("deep") end
      nest(level - 1, nest_)
    end
    nest_(8000)`);
  assert.equal(error.message, "main:3: deep");
  assert.equal(error.frames.length, 100);
  assert.equal(error.line, 3);
  assert(String(error.stack).length < 5_000);
  assert(!("cause" in error));
  luau.set("nest", undefined);
});

test("a script sees the name and the code of an error of the host", async () => {
  class Refused extends Error {
    name = "Refused";
    code = 403;
  }
  const refused = new Refused("no entry");
  const missing = Object.assign(new Error("no such file"), { code: "ENOENT" });
  const errors = { refused, missing, aborted: new DOMException("gone", "AbortError") };
  luau.set("fail", (/** @type {keyof typeof errors} */ name) => {
    throw errors[name];
  });
  luau.set("failLater", async (/** @type {keyof typeof errors} */ name) => {
    throw errors[name];
  });
  for (const fail of ["fail", "failLater"]) {
    assert.deepEqual(
      await luau.run(`
        local results = {}
        for _, name in { "refused", "missing", "aborted" } do
          local ok, e = pcall(${fail}, name)
          table.insert(results, { typeof(e), e.name, e.message, e.code, tostring(e), json.encode(e.stack) })
        end
        return results`),
      [
        [
          ["JSError", "Refused", "no entry", 403, "no entry", "null"],
          ["JSError", "Error", "no such file", "ENOENT", "no such file", "null"],
          ["JSError", "AbortError", "gone", 20, "gone", "null"],
        ],
      ],
    );
    // It is the host's own object, even if a script rethrows it.
    const caught = await luau.run(`local ok, e = pcall(${fail}, "refused") return e`);
    assert.equal(caught[0], refused);
    for (const source of [
      `${fail}("refused")`,
      `local _, e = pcall(${fail}, "refused") task.wait() error(e)`,
    ]) {
      const error = await failure(source);
      assert.equal(error.message, "main:1: no entry");
      assert.equal(error.cause, refused);
      assert.equal(error.value, refused);
    }
  }
  await assert.rejects(luau.run("local _, e = pcall(fail, 'missing') e.code = 1"), /attempt to/);
  luau.set("fail", undefined);
  luau.set("failLater", undefined);
});

test("reading an error of the host runs none of its code that could do harm", async () => {
  const hostile = Object.defineProperties(new Error("hostile"), {
    name: {
      get() {
        throw new Error("getter");
      },
    },
    code: {
      get() {
        throw new Error("getter");
      },
    },
  });
  luau.set("fail", () => {
    throw hostile;
  });
  assert.deepEqual(await luau.run("return pcall(fail)"), [false, "hostile"]);
  luau.set("fail", () => {
    throw new Proxy(new LuauError("proxied", { kind: "timeout" }), {
      get() {
        throw new Error("trap");
      },
    });
  });
  assert.deepEqual(await luau.run("return (pcall(fail))"), [false]);
  luau.set("fail", undefined);
});
