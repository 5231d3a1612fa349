// Host functions in scripts and script functions in the host wait, fail and end as functions should.
//
// Tier: default.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import { Luau, LuauError } from "../../pkg/node.js";
import { eventually } from "../eventually.mjs";
import { collect } from "../garbage.mjs";

/** @type {Luau} */
let luau;
/** @type {LuauError[]} */
const errors = [];

before(async () => {
  luau = await Luau.create({
    globalScope: "vm",
    onError: (error) => errors.push(error),
    globals: {
      later: async (/** @type {unknown} */ value, milliseconds = 5) => {
        await sleep(milliseconds);
        return value;
      },
      reject: async (/** @type {unknown} */ reason) => {
        await sleep(1);
        throw reason;
      },
      throws: () => {
        throw new RangeError("out of range");
      },
      // biome-ignore lint/suspicious/noThenProperty: the test is about thenables
      thenable: () => ({ then: (/** @type {(value: string) => void} */ resolve) => resolve("from then") }),
    },
  });
});
after(() => luau.dispose());

test("a promise makes the calling thread wait, and no other", async () => {
  /** @type {Map<string, (name: string) => void>} */
  const waiting = new Map();
  luau.set("held", (/** @type {string} */ name) => new Promise((resolve) => waiting.set(name, resolve)));
  luau.set("release", (/** @type {string} */ name) => waiting.get(name)?.(name));
  const results = await luau.run(`
    local order = {}
    task.spawn(function() table.insert(order, held("slow")) end)
    task.spawn(function() table.insert(order, held("quick")) release("slow") end)
    table.insert(order, "main")
    release("quick")
    repeat task.wait() until #order == 3
    table.insert(order, later("last"))
    return order`);
  assert.deepEqual(results, [["main", "quick", "slow", "last"]]);
  assert.deepEqual(await luau.run("return thenable(), (later(nil))"), ["from then", undefined]);
});

test("it works in coroutines and in pcall, and where a script cannot wait it says so", async () => {
  // The coroutine waits, so its resumer continues, as with any yield.
  const [status, before, ok, value, after] = await luau.run(`
    local got
    local thread = coroutine.create(function() got = later(1) end)
    coroutine.resume(thread)
    local status, before = coroutine.status(thread), got
    local ok, value = pcall(later, 2, 20)
    return status, before, ok, value, got`);
  assert.deepEqual([status, before, ok, value, after], ["suspended", undefined, true, 2, 1]);
  await assert.rejects(
    luau.run("table.sort({ 2, 1 }, function() return later(true) end)"),
    /script:1: attempt to yield across metamethod\/C-call boundary: the host function 'later' returned a promise$/,
  );
  const nameless = (
    () => async () =>
      1
  )();
  luau.set("shop", { price: async () => 1, nameless });
  for (const [name, callee] of [
    ["price", "the host function 'price'"],
    ["nameless", "a host function"],
  ]) {
    await assert.rejects(
      luau.run(`return setmetatable({}, { __index = function() return shop.${name}() end }).x`),
      {
        message: `script:1: attempt to yield across metamethod/C-call boundary: ${callee} returned a promise`,
      },
    );
  }
});

test("a rejection is an error that pcall catches, and its reason is the cause if it gets out", async () => {
  const reason = new TypeError("no such thing");
  luau.set("reason", reason);
  assert.deepEqual(await luau.run("return pcall(reject, reason)"), [false, "no such thing"]);
  for (const source of [
    "reject(reason)",
    "local ok, e = pcall(reject, reason) error(e, 0)",
    "error(select(2, pcall(reject, reason)))",
  ]) {
    await assert.rejects(luau.run(source), (error) => {
      assert(error instanceof LuauError);
      assert.equal(error.kind, "runtime");
      assert.equal(error.cause, reason, source);
      assert.equal(error.line, 1);
      return true;
    });
  }
  await assert.rejects(luau.run("throws()"), (/** @type {any} */ error) => error.cause instanceof RangeError);
  // Another error with its own cause in between, and one without any.
  await assert.rejects(
    luau.run("pcall(throws) error('mine')"),
    (/** @type {any} */ error) => !("cause" in error),
  );
});

test("the cause of an error is that of the thread that got it, and of no other", async () => {
  // The same text, thrown by an unrelated script: in a later run, in another thread, and in another coroutine.
  await luau.run("pcall(throws)");
  for (const source of [
    "error('out of range', 0)",
    "error('out of range')",
    "task.defer(pcall, throws) task.wait() error('out of range', 0)",
  ]) {
    await assert.rejects(luau.run(source), (/** @type {any} */ error) => {
      assert(!("cause" in error), source);
      return /out of range$/.test(error.message);
    });
  }
  // No matter how many others came in between, and how it left the script.
  for (const source of [
    "local ok, e = pcall(throws) for i = 1, 40 do pcall(reject, 'other ' .. i) end error(e, 0)",
    "local ok, e = pcall(throws) task.wait() error('wrapped: ' .. e, 0)",
    "coroutine.wrap(throws)()",
    "local _, e = coroutine.resume(coroutine.create(throws)) error(e)",
  ]) {
    await assert.rejects(luau.run(source), (/** @type {any} */ error) => {
      assert(error.cause instanceof RangeError, source);
      return true;
    });
  }
  // Even if nothing waits for the thread.
  errors.length = 0;
  await luau.run(`
    task.spawn(throws)
    task.spawn(function() local ok, e = pcall(throws) task.wait() error(e, 0) end)
    task.delay(0, throws)`);
  await luau.idle();
  assert.deepEqual(
    errors.splice(0).map(({ cause }) => cause instanceof RangeError),
    [true, true, true],
  );
});

test("what is no Error can be thrown too", async () => {
  for (const [reason, message] of [
    ["text", "text"],
    [undefined, "undefined"],
    [{ toString: () => "odd" }, "odd"],
    [{ message: "like an error" }, "like an error"],
    [Object.create(null), "something was thrown that cannot be shown"],
    [
      {
        get message() {
          throw 1;
        },
        toString: undefined,
      },
      "something was thrown that cannot be shown",
    ],
  ]) {
    luau.set("broken", () => {
      throw reason;
    });
    assert.deepEqual(await luau.run("return pcall(broken)"), [false, message]);
  }
});

test("functions of scripts return promises, wait, fail, and run side by side", async () => {
  const [twice, fails] = /** @type {((...args: unknown[]) => Promise<unknown[]>)[]} */ (
    await luau.run(
      "return function(a, ...) task.wait(0.01) return a * 2, ... end, function() error({ code = 7 }) end",
    )
  );
  assert(twice && fails);
  assert.deepEqual(await twice(21, "x", undefined), [42, "x", undefined]);
  const all = await Promise.all(Array.from({ length: 100 }, (_, index) => twice(index)));
  assert.deepEqual(
    all.map(([result]) => result),
    Array.from({ length: 100 }, (_, index) => index * 2),
  );
  // None of these returns before all of them have started.
  let open = () => {};
  const gate = new Promise((resolve) => {
    open = () => resolve(undefined);
  });
  let begun = 0;
  luau.set("meet", () => {
    begun += 1;
    if (begun === 100) {
      open();
    }
    return gate;
  });
  const [meets] = /** @type {any} */ (await luau.run("return function() meet() return 'met' end"));
  const met = await Promise.all(Array.from({ length: 100 }, () => meets()));
  assert(met.every(([result]) => result === "met"));
  await assert.rejects(fails(), (error) => {
    assert(error instanceof LuauError);
    assert.deepEqual(error.value, { code: 7 });
    return true;
  });
  await assert.rejects(twice(2n ** 99n), /bigint/);
});

test("run and functions of scripts may be called from inside a function that a script called", async () => {
  luau.set("nested", async () => (await luau.run("return 7"))[0]);
  luau.set("callBack", async (/** @type {Function} */ f) => (await f("from the page"))[0]);
  assert.deepEqual(
    await luau.run("return nested(), callBack(function(text) task.wait(0.001) return 'got ' .. text end)"),
    [7, "got from the page"],
  );
  luau.set("kick", () => {
    luau.run("order = (order or '') .. 'b'");
  });
  assert.deepEqual(await luau.run("kick() order = (order or '') .. 'a' task.wait() return order"), ["ab"]);
});

test("a thread that is cancelled while it waits for a promise stays so", async () => {
  const [status] = await luau.run(`
    local thread = task.spawn(function() later(1, 20) reached = true end)
    task.cancel(thread)
    later(1, 40)
    return coroutine.status(thread), reached`);
  assert.equal(status, "dead");
  assert.equal(luau.get("reached"), undefined);
  // A rejection that nothing waits for any more is ignored.
  await luau.run("task.cancel(task.spawn(reject, 'late'))");
  // Nothing may be reported, and no event would show that.
  await sleep(10);
  assert.deepEqual(errors, []);
});

test("functions that the page has let go of are let go of by the VM too", async () => {
  const memory = async () => {
    for (let turn = 0; turn < 5; turn++) {
      collect();
      // Finalizers run in a later turn of the event loop.
      await setImmediate();
      await luau.run("for _ = 1, 200 do local _ = table.create(1000) end");
    }
    return luau.stats.memory;
  };
  const before = await memory();
  for (let round = 0; round < 200; round++) {
    await luau.run("local big = table.create(1000, 1) return function() return big end, newproxy()");
    luau.set("passing", () => round);
  }
  // 200 tables of 16 kB would be 3.2 MB.
  await eventually(async () => (await memory()) - before < 1e6);
});
