// A script reaches only what it was given: no global of the host, no prototype, no constructor.
//
// Tier: default.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Luau } from "../../pkg/node.js";

/** @type {Luau} */
let luau;

class Account {
  balance = 100;
  steal() {
    return "stolen";
  }
}

before(async () => {
  luau = await Luau.create({
    globals: {
      account: new Account(),
      call: (/** @type {unknown} */ f) => /** @type {Function} */ (f)(),
      echo: (/** @type {unknown} */ value) => value,
      self() {
        return this === undefined;
      },
      sloppy: new Function("return this === globalThis"),
      config: { list: [1, 2, 3], nested: { secret: 1 } },
    },
  });
});
after(() => luau.dispose());

/** @param {string} source */
const run = (source) => luau.run(source);

test("objects of the host have no members for a script", async () => {
  for (const member of ["balance", "steal", "constructor", "__proto__", "prototype", "toString", "valueOf"]) {
    const [ok, message] = await run(`return pcall(function() return account.${member} end)`);
    assert.equal(ok, false, member);
    assert.match(String(message), /attempt to index JSObject/);
    const [written] = await run(`return pcall(function() account.${member} = 1 end)`);
    assert.equal(written, false);
  }
  assert.deepEqual(
    await run("return getmetatable(account), pcall(setmetatable, account, {})").then((r) => [r[0], r[1]]),
    [false, false],
  );
});

test("functions of the host have no members, and get no `this`", async () => {
  const [ok] = await run("return pcall(function() return echo.constructor end)");
  assert.equal(ok, false);
  assert.deepEqual(await run("return self()"), [true]);
  // A sloppy function uses its own global object as `this`, and always will; it does not get one from here.
  assert.deepEqual(await run("return sloppy()"), [true]);
});

test("the own names of JS are no globals", async () => {
  for (const name of [
    "globalThis",
    "window",
    "process",
    "require",
    "fetch",
    "Function",
    "eval",
    "document",
    "self",
  ]) {
    const [type] = await run(`return type(${name})`);
    assert.equal(type, name === "require" || name === "self" ? "function" : "nil", name);
  }
  await assert.rejects(run('require("fs")'), /must begin with/);
  await assert.rejects(run('require("./fs")'), /the host provides no modules/);
});

test("prototypes are neither read nor changed by what crosses", async () => {
  await run("echo({ __proto__ = { polluted = true }, constructor = { prototype = { polluted = true } } })");
  assert.equal(/** @type {any} */ ({}).polluted, undefined);
  const [keys] = await run(
    "local keys = {} for key in echo({ a = 1 }) do table.insert(keys, key) end return keys",
  );
  assert.deepEqual(keys, ["a"]);
  class Tricky {}
  Object.defineProperty(Tricky.prototype, "inherited", { value: 1, enumerable: true });
  luau.set("inherits", Object.assign(Object.create(null), { own: 1 }));
  assert.deepEqual(luau.get("inherits"), { own: 1 });
});

test("a setter on Object.prototype is not called by what comes out", async () => {
  const seen = /** @type {unknown[]} */ ([]);
  Object.defineProperty(Object.prototype, "spied", {
    set(value) {
      seen.push(value);
    },
    configurable: true,
  });
  try {
    const [result] = await run("return { spied = 1 }");
    assert.deepEqual(Object.entries(/** @type {object} */ (result)), [["spied", 1]]);
    assert.deepEqual(seen, []);
  } finally {
    delete (/** @type {any} */ (Object.prototype).spied);
  }
});

test("the globals of the host are read-only, and so are its tables", async () => {
  for (const source of [
    "config.list = nil",
    "config.list[1] = 2",
    "config.nested.secret = 2",
    "string.format = nil",
    "task.wait = nil",
  ]) {
    await assert.rejects(run(source), /readonly/, source);
  }
  // A global of the script takes precedence over one of the host.
  assert.deepEqual(await run("account = 1 return account"), [1]);
  assert(luau.get("account") instanceof Account);
});

test("an error of the host shows the script its message alone", async () => {
  luau.set("fail", () => {
    throw Object.assign(new Error("no entry"), { secret: 42 });
  });
  assert.deepEqual(await run("local ok, e = pcall(fail) return ok, type(e), e"), [
    false,
    "string",
    "no entry",
  ]);
  await assert.rejects(run("fail()"), (/** @type {any} */ error) => error.cause.secret === 42);
});
