// An integer of Luau keeps its digits on the way to the host and back: as a number if that can hold it, otherwise as a
// bigint.
//
// Tier: default.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Luau } from "../../pkg/node.js";

/** @type {Luau} */
let luau;
/** @type {unknown[][]} */
const printed = [];

before(async () => {
  luau = await Luau.create({
    print: (_, values) => printed.push(values()),
    globals: {
      echo: (/** @type {unknown} */ value) => value,
      later: async (/** @type {unknown} */ value) => value,
      typeName: (/** @type {unknown} */ value) => typeof value,
      call: (/** @type {() => unknown} */ f) => f(),
    },
  });
});
after(() => luau.dispose());

const LARGEST = 2n ** 63n - 1n;
const SMALLEST = -(2n ** 63n);

test("an integer that a number cannot hold is a bigint for the host", async () => {
  assert.deepEqual(await luau.run("return integer.maxsigned, integer.minsigned, integer.create(7)"), [
    LARGEST,
    SMALLEST,
    7,
  ]);
  assert.deepEqual(
    await luau.run("local m = integer.maxsigned return { m }, { a = { m } }, { [true] = m }, { 2 ^ 60 }"),
    [[LARGEST], { a: [LARGEST] }, new Map([[true, LARGEST]]), [2 ** 60]],
  );
  assert.deepEqual(await luau.run("return typeName(integer.maxsigned), typeName(2 ^ 60)"), [
    "bigint",
    "number",
  ]);
  const [f] = /** @type {any[]} */ (await luau.run("return function() return integer.minsigned end"));
  assert.deepEqual(await f(), [SMALLEST]);
  await luau.run("print(integer.maxsigned, 1)");
  assert.deepEqual(printed.splice(0), [[LARGEST, 1]]);
  // The limits of exact numbers.
  assert.deepEqual(
    await luau.run("local top = integer.create(2 ^ 53 - 1) return top, integer.add(top, integer.create(1))"),
    [2 ** 53 - 1, 2n ** 53n],
  );
});

test("a bigint that a number cannot hold is an integer for a script, with the same digits", async () => {
  const source = "local value = ... return typeof(value), tostring(value), value";
  for (const value of [LARGEST, SMALLEST, 2n ** 53n, -(2n ** 60n) - 1n]) {
    assert.deepEqual(await luau.run(source, { args: [value] }), ["integer", String(value), value]);
    for (const call of ["echo", "later"]) {
      assert.deepEqual(
        await luau.run(`local value = ${call}(...) return typeof(value), tostring(value), value`, {
          args: [value],
        }),
        ["integer", String(value), value],
      );
    }
    luau.set("value", value);
    assert.deepEqual(await luau.run("return tostring(value), { value }"), [String(value), [value]]);
    const nested = { list: [value], map: new Map([[1.5, value]]) };
    assert.deepEqual(await luau.run("return ..., tostring((...).list[1])", { args: [nested] }), [
      nested,
      String(value),
    ]);
    const many = [1, 2, 3, 4, 5, 6, value];
    assert.deepEqual(await luau.run("return ...", { args: many }), many);
  }
  assert.deepEqual(await luau.run("return typeof(...)", { args: [5n] }), ["number"]);
  const [f] = /** @type {any[]} */ (await luau.run("return function(value) return typeof(value) end"));
  assert.deepEqual(await f(LARGEST), ["integer"]);
});

test("a bigint of more than 64 bits is refused", async () => {
  for (const value of [LARGEST + 1n, SMALLEST - 1n]) {
    await assert.rejects(luau.run("", { args: [value] }), /bigint .* is not between -2\^63 and 2\^63 - 1/);
  }
});

test("the value of an error keeps its digits, in the host's hands and back in the script's", async () => {
  const error = await luau.run("error(integer.maxsigned)").catch((error) => error);
  assert.equal(error.value, LARGEST);
  assert.equal(error.message, String(LARGEST));
  assert.deepEqual(
    await luau.run(`
      local ok, caught = pcall(call, function() error(integer.minsigned) end)
      return ok, typeof(caught), caught`),
    [false, "integer", SMALLEST],
  );
});

test("a box never gets to a script", async () => {
  assert.deepEqual(
    await luau.run(
      `
      local seen = {}
      local function see(...)
        for _, value in { ... } do
          table.insert(seen, typeof(value))
        end
      end
      see(echo(...))
      see(later(...))
      see(select(2, pcall(echo, ...)))
      coroutine.wrap(see)(...)
      local ok, caught = pcall(echo, setmetatable({}, { __index = function() end }))
      see(rawget(echo({ x = ... }), "x"))
      return seen`,
      { args: [LARGEST] },
    ),
    [["integer", "integer", "integer", "integer", "integer"]],
  );
});
