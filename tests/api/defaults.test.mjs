// What a host gets that gives few options or none, and what options of a kind of their own do.
//
// Tier: default.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Luau, LuauError } from "../../pkg/node.js";

test("output and errors go to the console", async (t) => {
  /** @type {[string, unknown[]][]} */
  const calls = [];
  for (const name of /** @type {const} */ (["log", "warn", "error"])) {
    t.mock.method(console, name, (/** @type {unknown[]} */ ...args) => void calls.push([name, args]));
  }
  const luau = await Luau.create();
  await luau.run("print('one', 2) warn('three', nil) task.spawn(error, 'four', 0)");
  t.mock.restoreAll();
  const [, , [, [error]] = ["", []]] = calls;
  assert(error instanceof LuauError);
  assert.equal(error.message, "four");
  assert.deepEqual(calls, [
    ["log", ["one\t2"]],
    ["warn", ["three\tnil"]],
    ["error", [error]],
  ]);
  luau.dispose();
});

test("without the sandbox scripts may change the libraries, and with it they may not", async () => {
  const source = "string.twice = function(text) return text .. text end return ('x'):twice()";
  const open = await Luau.create({ sandbox: false, globals: { settings: { size: 1 } } });
  assert.deepEqual(await open.run(source), ["xx"]);
  assert.deepEqual(await open.run("settings.size = 2 return settings.size, ('y'):twice()"), [2, "yy"]);
  open.dispose();
  for (const sandbox of [true, undefined]) {
    const closed = await Luau.create({ sandbox });
    await assert.rejects(closed.run(source), /attempt to modify a readonly table/);
    closed.dispose();
  }
});

test("check tells where a source is no Luau program", async () => {
  const luau = await Luau.create();
  assert.equal(luau.check("return 1"), null);
  const error = luau.check("local a = 1\nlocal = 2", "wrong");
  assert(error instanceof LuauError);
  assert.deepEqual([error.kind, error.chunkName, error.line], ["syntax", "wrong", 2]);
  assert.deepEqual(error.frames, [{ chunkName: "wrong", line: 2, name: undefined }]);
  assert.match(error.message, /^wrong:2: /);
  luau.dispose();
});

test("globals may be any plain object, and what its getters throw is the cause of the error", async () => {
  /** @typedef {{ size: number }} Settings */
  /** @type {Settings} */
  const settings = { size: 3 };
  const luau = await Luau.create({ globals: settings });
  assert.deepEqual(await luau.run("return size"), [3]);
  luau.dispose();
  const thrown = new Error("not yet");
  const globals = {
    get late() {
      throw thrown;
    },
  };
  await assert.rejects(Luau.create({ globals }), (error) => {
    assert(error instanceof LuauError);
    assert.match(error.message, /global 'late' cannot be a Luau value: not yet/);
    assert.equal(error.cause, thrown);
    return true;
  });
});

test("a number of things is at least one", async () => {
  for (const name of ["maxConnections", "maxQueueMessages", "maxQueueBytes"]) {
    await assert.rejects(Luau.create({ websocket: { [name]: 0.5 } }), (error) => {
      assert(error instanceof TypeError);
      assert.match(error.message, new RegExp(`option ${name}: less than one`));
      return true;
    });
  }
});

test("an abort without a word says what it was", async () => {
  const luau = await Luau.create();
  const controller = new AbortController();
  const run = luau.run("task.wait(10)", { signal: controller.signal });
  controller.abort("");
  await assert.rejects(run, { kind: "cancelled", message: "the run was aborted", cause: "" });
  luau.dispose();
});
