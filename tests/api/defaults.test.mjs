// The defaults of a host with few or no options, and the behavior of special options.
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

test("the function that converts what is printed is only valid during the call, and harmless afterwards", async () => {
  /** @type {(() => unknown[]) | undefined} */
  let convert;
  const luau = await Luau.create({
    isolation: "shared",
    print: (_, values) => {
      convert = values;
    },
  });
  const bystander = await Luau.create({ isolation: "shared" });
  await luau.run("print(1)");
  const tooLate = { message: "values() is only valid during the call that it was passed to" };
  assert.throws(() => convert?.(), tooLate);
  luau.dispose();
  assert.throws(() => convert?.(), tooLate);
  assert.deepEqual(await bystander.run("return 1"), [1]);
  bystander.dispose();
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
      assert.match(error.message, new RegExp(`option websocket\\.${name}: less than one`));
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

test("check finds all errors, with their columns", async () => {
  const luau = await Luau.create();
  const source = "local = 1\nprint('💡', ]\nreturn 1";
  const error = luau.check(source, "main");
  assert(error instanceof LuauError);
  assert.equal(error.message.slice(0, 7), "main:1:");
  assert.deepEqual([error.line, error.column], [1, 7]);
  assert(error.errors.length >= 2);
  assert(error.message.endsWith(error.errors[0]?.message ?? "none"));
  const [first, second] = error.errors;
  assert.deepEqual([first?.line, first?.column, first?.endLine, first?.endColumn], [1, 7, 1, 8]);
  // Columns are indexes into the string: the emoji has two units.
  assert.equal(source.split("\n")[1]?.slice((second?.column ?? 0) - 1, (second?.endColumn ?? 0) - 1), "]");
  await assert.rejects(luau.run("\uFEFFx ="), { kind: "syntax", column: 5 });
  const runtime = await luau.run("error('x')").catch((error) => error);
  assert.deepEqual([runtime.column, runtime.errors], [undefined, []]);
  // Errors that only the compiler finds have a line and no column.
  const limit = luau.check("local a = print() ".repeat(300));
  assert.deepEqual([limit?.kind, limit?.column, limit?.errors], ["syntax", undefined, []]);
  luau.dispose();
});

test("a source may begin with a byte order mark and a line for the shell", async () => {
  const luau = await Luau.create({ modules: { tool: "\uFEFF#!/usr/bin/env luau\nreturn 'tool'" } });
  for (const start of ["\uFEFF", "#!/usr/bin/env luau\n", "\uFEFF#!luau\n"]) {
    const source = `${start}return 'started'`;
    assert.deepEqual(await luau.run(source), ["started"]);
    assert.deepEqual(await luau.run(new TextEncoder().encode(source)), ["started"]);
    assert.equal(luau.check(source), null);
  }
  await assert.rejects(luau.run("#!luau\nerror('here')"), { message: "script:2: here" });
  assert.deepEqual(await luau.run("#!luau"), []);
  assert.deepEqual(await luau.run("return require('./tool')"), ["tool"]);
  luau.dispose();
});

test("a subclass makes instances of itself, and create needs no class to be called on", async () => {
  class Editor extends Luau {
    lines = ["return 6 * 7"];
    runAll() {
      return this.run(this.lines.join("\n"));
    }
  }
  const editor = await Editor.create();
  assert(editor instanceof Editor);
  assert.deepEqual(await editor.runAll(), [42]);
  editor.dispose();
  const { create } = Luau;
  const luau = await create();
  assert(luau instanceof Luau && !(luau instanceof Editor));
  luau.dispose();
});
