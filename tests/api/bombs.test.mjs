// Data that a script grows outside of Luau's own memory, and long work in Rust, are limited as well.
//
// Tier: default; --full adds more values than mlua and the table of JS objects can hold.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Luau } from "../../pkg/node.js";
import { isFull } from "../server/tier.mjs";

test("what is in a table many times does not become a text of any length", async () => {
  const luau = await Luau.create({ globalScope: "vm", memoryLimit: 2_000_000 });
  await luau.run("function nest(value) for i = 1, 40 do value = { value, value } end return value end");
  const bombs = ["nest('x')", "nest({ a = nest({}) })", "nest(string.rep('x', 1e5))"];
  for (const bomb of bombs) {
    await assert.rejects(luau.run(`json.encode(${bomb})`), /cannot encode: not enough memory/, bomb);
  }
  luau.dispose();
});

test("json keeps to the time of the script", async () => {
  const luau = await Luau.create({ timeLimit: 100 });
  for (const source of [
    "local t = {} for i = 1, 40 do t = { t, t } end return pcall(json.encode, t)",
    "return pcall(json.decode, '[' .. string.rep('[],', 5e6) .. '1]')",
  ]) {
    await assert.rejects(luau.run(source), { kind: "timeout" }, source);
  }
  assert.deepEqual(await luau.run("return 'alive'"), ["alive"]);
  luau.dispose();
});

test("Rust holds only so many values of scripts at a time", async () => {
  const luau = await Luau.create({
    memoryLimit: 2_000_000_000,
    onError: () => {},
    globals: { page: () => {} },
  });
  const uses = [
    "task.defer(thread)",
    "task.delay(1000, thread)",
    "task.defer(thread, table.unpack(list))",
    "task.delay(1000, thread, 'text', {})",
  ];
  for (const use of uses) {
    const source = `local thread, list = coroutine.create(print), table.create(200, {})
      for i = 1, 2e6 do ${use} end`;
    await assert.rejects(luau.run(source), /script:2: too many threads, handlers and values/, use);
    luau.stop();
    assert.deepEqual(await luau.run("task.wait() return 'alive'"), ["alive"], use);
  }
  // Values that are no longer held do not count.
  await luau.run(`local done = 0
    local function count() done += 1 end
    for round = 1, 4 do
      for i = 1, 1e5 do task.defer(count, 'text') end
      repeat task.wait() until done == round * 1e5
    end`);
  luau.dispose();
});

test("a script cannot hand the host more handles than a VM may have", async () => {
  for (const make of ["newproxy(true)", "function() return i end", "coroutine.create(print)"]) {
    /** @type {unknown} */
    let held;
    const hold = (/** @type {unknown} */ value) => {
      held = value;
    };
    const luau = await Luau.create({ memoryLimit: 2_000_000_000, globals: { hold } });
    const run = luau.run(`local list = {} for i = 1, 1.1e5 do list[i] = ${make} end hold(list)`);
    await assert.rejects(run, /the host holds too many/, make);
    assert.deepEqual(await luau.run("return #json.encode({ 1 })"), [3], make);
    assert.equal(held, undefined);
    luau.dispose();
  }
});

test("json encodes an object with a great many keys", async () => {
  const luau = await Luau.create({ memoryLimit: 2_000_000_000 });
  const count = isFull ? 1_100_000 : 320_000;
  const [length] = await luau.run(
    "local t = {} for i = 1, ... do t['k' .. i] = 'v' .. i end return #json.encode(t)",
    { args: [count] },
  );
  assert(Number(length) > 15 * count);
  luau.dispose();
});

test("what crosses in any number, of whatever kind, is an error that says how many may", async () => {
  const luau = await Luau.create({
    globalScope: "vm",
    memoryLimit: 2_000_000_000,
    globals: { take: () => {} },
  });
  await luau.run(
    "function many(make, n) local t = table.create(n) for i = 1, n do t[i] = make(i) end return t end",
  );
  const count = isFull ? 9_000_000 : 2_100_000;
  for (const make of ["buffer.create(0)", "vector.create(i, i, i)", "{}"]) {
    const source = `take(many(function(i) return ${make} end, ${count}))`;
    await assert.rejects(luau.run(source), /more than 2000000 tables, buffers, vectors/, make);
    assert.deepEqual(await luau.run("return 'alive'"), ["alive"], make);
  }
  const objects = Array.from({ length: isFull ? 4_500_000 : 3_100_000 }, () => ({}));
  await assert.rejects(luau.run("", { args: [objects] }), /too many JS objects .* \(at most 6000000\)/);
  assert.throws(() => luau.set("objects", objects), /too many JS objects/);
  assert.deepEqual(await luau.run("return 'alive'"), ["alive"]);
  luau.dispose();
});

test("a script holds only so many objects of the host", { skip: !isFull && "for --full" }, async () => {
  const luau = await Luau.create({
    globalScope: "vm",
    memoryLimit: 2_000_000_000,
    globals: { symbol: () => Symbol() },
  });
  const hold = luau.run("held = {} for i = 1, 9e6 do held[i] = symbol() end");
  await assert.rejects(hold, /too many JS objects/);
  assert.deepEqual(await luau.run("held = nil return 'alive'"), ["alive"]);
  luau.dispose();
});
