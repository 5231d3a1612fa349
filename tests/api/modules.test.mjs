// `require` finds the host's modules by Luau's rules, runs each once, and refuses cycles.
//
// Tier: default.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { runInNewContext } from "node:vm";
import { Luau } from "../../pkg/node.js";

/**
 * Returns the results of a script with these modules.
 *
 * @param {import("../../pkg/node.js").LuauOptions["modules"]} modules
 * @param {string} source
 * @param {import("../../pkg/node.js").RunOptions} [options]
 */
async function run(modules, source, options) {
  const luau = await Luau.create({ modules });
  try {
    return await luau.run(source, options);
  } finally {
    luau.dispose();
  }
}

test("paths lead from the module that asks", async () => {
  const modules = {
    "./main.luau": "return require('./lib/list')",
    "lib/list.luau":
      "return { require('./node'), require('../top'), require('@self/inner'), require('@pkg/x') }",
    "lib/node.lua": "return 'node'",
    "lib/list/inner": "return 'inner'",
    "top/init.luau": "return 'top of ' .. require('./lib/node') .. require('@self/sub')",
    "top/sub": "return ' and sub'",
    "@pkg/x": "return 'package'",
  };
  const expected = ["node", "top of node and sub", "inner", "package"];
  assert.deepEqual(await run(modules, "return require('./main')"), [expected]);
  assert.deepEqual(await run(modules, "return require('../main')", { chunkName: "src/app.luau" }), [
    expected,
  ]);
  assert.deepEqual(await run(modules, "return require('./list')", { chunkName: "lib/x" }), [expected]);
});

test("each module runs once, however many ask at the same time, and what it returns is the same for all", async () => {
  /** @type {string[]} */
  const asked = [];
  const modules = async (/** @type {string} */ path) => {
    asked.push(path);
    await setImmediate();
    return path === "once" ? "local count = 0 task.wait(0.01) count += 1 return { count = count }" : null;
  };
  const [count, same] = await run(
    modules,
    `local first
     local results = {}
     for index = 1, 5 do task.spawn(function() results[index] = require("./once") end) end
     local mine = require("./once")
     task.wait()
     local same = true
     for index = 1, 5 do same = same and results[index] == mine end
     return mine.count, same and require("./once") == mine`,
  );
  assert.deepEqual([count, same], [1, true]);
  assert.deepEqual(asked, ["once"]);
});

test("circles are errors that name the way, of any length, also while modules wait", async () => {
  const wait = "task.wait(0.005) ";
  for (const [modules, way] of /** @type {[Record<string, string>, string][]} */ ([
    [{ a: "return require('./a')" }, "a -> a"],
    [{ a: "return require('./b')", b: "return require('./a')" }, "b -> a -> b"],
    [
      {
        a: `${wait}return require('./b')`,
        b: `${wait}return require('./c')`,
        c: `${wait}return require('./a')`,
      },
      "c -> a -> b -> c",
    ],
  ])) {
    await assert.rejects(run(modules, "require('./a')"), new RegExp(`circular dependency: ${way}`));
  }
  // Two modules that require a third are not a cycle.
  const diamond = { a: "return require('./c') + 1", b: "return require('./c') + 2", c: `${wait}return 1` };
  assert.deepEqual(await run(diamond, "return require('./a') + require('./b')"), [5]);
});

test("a circle of two that are required at the same time is found, not waited for", async () => {
  const modules = { a: "task.wait(0.01) return require('./b')", b: "task.wait(0.01) return require('./a')" };
  const [a, b] = await run(
    modules,
    `local a, b
     task.spawn(function() a = { pcall(require, "./a") } end)
     task.spawn(function() b = { pcall(require, "./b") } end)
     repeat task.wait() until a and b
     return a[2], b[2]`,
  );
  assert.match(`${a} ${b}`, /circular dependency/);
});

test("what goes wrong says which module, and with what", async () => {
  const modules = {
    broken: "return +",
    fails: "\nerror('inside')",
    none: "",
    two: "return 1, 2",
    asks: "return require('./fails')",
  };
  for (const [path, message] of /** @type {[string, RegExp][]} */ ([
    ["./missing", /^script:1: module not found: "missing"/],
    ["./broken", /^script:1: cannot load module "broken": broken:1: /],
    ["./fails", /^script:1: cannot load module "fails": fails:2: inside/],
    ["./asks", /^script:1: cannot load module "asks": asks:1: cannot load module "fails": fails:2: inside/],
    ["./none", /^script:1: module "none" must return exactly one value, but returned 0/],
    ["./two", /returned 2/],
    ["missing", /must begin with/],
    ["../../x", /above the root/],
  ])) {
    await assert.rejects(run(modules, `require("${path}")`), { message });
  }
  await assert.rejects(run(undefined, "require('./x')"), /the host provides no modules \(option 'modules'\)/);
  await assert.rejects(
    run(modules, "require(5)"),
    /invalid argument #1 to 'require' \(string expected, got number\)/,
  );
});

test("paths begin as the name of the chunk does: at the root, at a drive, at an origin", async () => {
  for (const [chunkName, expected] of /** @type {[string, string][]} */ ([
    ["/home/me/main.luau", "/home/me/a"],
    ["C:\\me\\main.luau", "C:/me/a"],
    ["scripts\\main.luau", "scripts/a"],
    ["https://example.com/x/main.luau", "https://example.com/x/a"],
    ["../me/main.luau", "../me/a"],
  ])) {
    const asked = (/** @type {string} */ path) => `return "${path}" .. require("./b/c")`;
    const modules = (/** @type {string} */ path) => (path.endsWith("/a") ? asked(path) : `return " ${path}"`);
    assert.deepEqual(await run(modules, "return require('./a')", { chunkName }), [
      `${expected} ${expected.replace(/a$/, "b/c")}`,
    ]);
  }
  // An object of modules has paths from the root, with or without a sign of it.
  for (const name of ["lib/a", "/lib/a.luau", "./lib/a"]) {
    assert.deepEqual(
      await run({ [name]: "return 1" }, "return require('./a')", { chunkName: "/lib/main" }),
      [1],
    );
  }
});

test("an init is its folder, under one name only", async () => {
  const modules = {
    "lib/init": "return { require('./beside'), require('@self/inside') }",
    "lib/inside": "return 'inside'",
    beside: "return 'beside'",
  };
  assert.deepEqual(await run(modules, "return require('./lib')"), [["beside", "inside"]]);
  assert.deepEqual(await run(modules, "return require('./beside')", { chunkName: "lib/init.luau" }), [
    "beside",
  ]);
  assert.deepEqual(await run(modules, "return require('@self/inside')", { chunkName: "lib/init" }), [
    "inside",
  ]);
  await assert.rejects(
    run(modules, "require('./lib/init')"),
    /require the folder "lib" instead of its init module/,
  );
});

test("an error of a module keeps its kind, its frames and its value", async () => {
  const modules = {
    broken: "\nreturn +",
    slow: "\nwhile true do end",
    late: "task.wait() while true do end",
    thrown: "\nlocal function fail() error({ code = 7 }) end\nfail()",
    text: "\n\nerror('inside')",
    asks: "return require('./thrown')",
    page: "return throws()",
    odd: "error(setmetatable({}, { __tostring = function() return 'shown' end }))",
    no: "error(false)",
  };
  const thrown = new RangeError("of the page");
  const luau = await Luau.create({
    modules,
    timeLimit: 200,
    globals: {
      throws: () => {
        throw thrown;
      },
    },
  });
  /** @param {string} source */
  const failure = async (source) => {
    try {
      await luau.run(source);
    } catch (error) {
      return /** @type {import("../../pkg/node.js").LuauError} */ (error);
    }
    assert.fail("it did not fail");
  };
  /** @param {import("../../pkg/node.js").LuauError} error */
  const places = ({ frames }) => frames.map(({ chunkName, line }) => `${chunkName}:${line}`);

  for (const [path, kind, where, value] of /** @type {[string, string, string[], unknown][]} */ ([
    ["broken", "syntax", ["broken:2", "script:1"], undefined],
    ["slow", "timeout", ["slow:2", "script:1"], undefined],
    ["thrown", "runtime", ["thrown:2", "thrown:3", "script:1"], { code: 7 }],
    ["text", "runtime", ["text:3", "script:1"], undefined],
    ["asks", "runtime", ["thrown:2", "thrown:3", "asks:1", "script:1"], { code: 7 }],
  ])) {
    const error = await failure(`require("./${path}")`);
    assert.deepEqual([error.kind, places(error)], [kind, where], path);
    assert.equal(`${error.chunkName}:${error.line}`, where[0]);
    assert.deepEqual(error.value, value ?? error.message, path);
  }
  const ofPage = await failure("require('./page')");
  assert.equal(ofPage.cause, thrown);
  assert.deepEqual(places(ofPage), ["page:1", "script:1"]);
  assert.match((await failure("require('./odd')")).message, /^shown$/);

  // Scripts catch a text with the name of the module before it, and any other value as it was thrown.
  assert.deepEqual(
    await luau.run(`
      local _, thrown = pcall(require, "./thrown")
      local _, no = pcall(require, "./no")
      local _, text = pcall(require, "./text")
      return thrown, no, text`),
    [{ code: 7 }, false, 'cannot load module "text": text:3: inside'],
  );
  // The kind is lost when a script throws an error of its own. A module that does not wait uses its caller's time.
  assert.equal((await failure("pcall(require, './late') error('mine')")).kind, "runtime");
  assert.equal((await failure("pcall(require, './slow') error('mine')")).kind, "timeout");
  luau.dispose();
});

test("a circle is found also when it goes through another thread of a module", async () => {
  for (const begin of ["task.spawn", "task.defer", "coroutine.wrap", "coroutine.resume(coroutine.create"]) {
    const call = begin.startsWith("coroutine.resume") ? "))" : begin.endsWith("wrap") ? ")()" : ")";
    /** @type {string[]} */
    const errors = [];
    const luau = await Luau.create({
      globalScope: "vm",
      modules: {
        a: `local found
            ${begin}(function() found = { pcall(require, './b') } end${call}
            while not found do task.wait() end
            return found[2]`,
        b: "return require('./a')",
        // The thread continues after its module is loaded, so it is not part of loading it.
        later: "task.delay(0.01, function() result = require('./uses') end) return 'later'",
        uses: "return require('./later') .. ' used'",
        // Another module requires this one. Its other threads require that module, but need not wait for it.
        lazy: "local lazy = {} task.spawn(function() lazy.user = require('./user') end) return lazy",
        user: "return { lazy = require('./lazy') }",
      },
      onError: (error) => errors.push(error.message),
    });
    const [text] = await luau.run("return require('./a')");
    assert.match(String(text), /circular dependency: b -> a -> b/, begin);
    await luau.run("require('./later')");
    await luau.idle();
    assert.equal(luau.get("result"), "later used");
    assert.deepEqual(
      await luau.run("local user = require('./user') task.wait() return user.lazy.user == user"),
      [true],
    );
    assert.deepEqual(errors, []);
    luau.dispose();
  }
});

test("a resolver that fails is the cause, and is asked again the next time", async () => {
  let tries = 0;
  const luau = await Luau.create({
    modules: async () => {
      tries++;
      if (tries === 1) {
        throw new Error("offline");
      }
      return "return 'online'";
    },
  });
  await assert.rejects(luau.run("require('./x')"), (/** @type {any} */ error) => {
    assert.match(error.message, /cannot load module "x": offline/);
    return error.cause.message === "offline";
  });
  assert.deepEqual(await luau.run("return require('./x')"), ["online"]);
  luau.dispose();
  await assert.rejects(
    run(() => /** @type {any} */ (5), "require('./x')"),
    /the source of "x" is neither a string nor a Uint8Array/,
  );
  await assert.rejects(
    run(async () => /** @type {any} */ (new Response("return 1")), "require('./x')"),
    /the source of "x" is neither a string nor a Uint8Array.*\.text\(\)/,
  );
});

test("a thenable is as good as a promise, with or without a module at the path", async () => {
  const sources = new Map([
    ["a", "return 'a'"],
    ["folder/init", "return 'folder'"],
  ]);
  const modules = (/** @type {string} */ path) => ({
    // biome-ignore lint/suspicious/noThenProperty: the test is about thenables
    then(/** @type {(source: string | undefined) => void} */ resolve) {
      resolve(sources.get(path));
    },
  });
  const source = "return require('./a'), require('./folder'), (pcall(require, './none'))";
  assert.deepEqual(await run(/** @type {any} */ (modules), source), ["a", "folder", false]);
  // The source exists only for the folder.
  const folder = (/** @type {string} */ path) => (path.endsWith("/init") ? modules(path) : undefined);
  assert.deepEqual(await run(/** @type {any} */ (folder), "return require('./folder')"), ["folder"]);
  // A promise whose own `then` returns nothing.
  const changed = Promise.resolve("return 'changed'");
  // biome-ignore lint/suspicious/noThenProperty: the same
  Object.defineProperty(changed, "then", {
    value: (/** @type {any} */ ...args) => void Promise.prototype.then.apply(changed, args),
  });
  assert.deepEqual(await run(() => changed, "return require('./a')"), ["changed"]);
  const failing = () => ({
    // biome-ignore lint/suspicious/noThenProperty: the same
    then: (/** @type {any} */ _, /** @type {any} */ reject) => reject(new Error("off")),
  });
  await assert.rejects(run(/** @type {any} */ (failing), "require('./a')"), /cannot load module "a": off/);
});

test("a Uint8Array is the only kind of bytes that is a source", async () => {
  const bytes = new TextEncoder().encode("return 1");
  const foreign = runInNewContext("Uint8Array.from(bytes)", { bytes: [...bytes] });
  for (const modules of [() => foreign, async () => foreign, { x: foreign }]) {
    assert.deepEqual(await run(modules, "return require('./x')"), [1]);
  }
  for (const other of [
    bytes.buffer,
    new DataView(bytes.buffer),
    new Uint16Array(1),
    new Uint8ClampedArray(1),
  ]) {
    const refused = /the source of "x" is neither a string nor a Uint8Array/;
    for (const modules of [() => other, async () => other, { x: other }]) {
      await assert.rejects(run(/** @type {any} */ (modules), "return require('./x')"), refused);
    }
  }
});

test("names that JS's objects inherit are no modules", async () => {
  for (const name of ["constructor", "toString", "__proto__", "hasOwnProperty"]) {
    await assert.rejects(run({ x: "return 1" }, `require("./${name}")`), /module not found/);
  }
});

test("a host can tell bytes for a source, and modules may be loaded where scripts cannot wait, once they are there", async () => {
  const source = new TextEncoder().encode("return '\u00fc'");
  for (const modules of [() => source, { x: source }]) {
    assert.deepEqual(await run(modules, "return require('./x')"), ["\u00fc"]);
  }
  const results = await run(
    { order: "return function(a, b) return a > b end" },
    "require('./order') local t = { 1, 2, 3 } table.sort(t, function(a, b) return require('./order')(a, b) end) return t",
  );
  assert.deepEqual(results, [[3, 2, 1]]);
});

test("a circle is found also when a helper of another module asks, and there is none where no module asks", async () => {
  const modules = {
    helper: "return { load = function(path) return require(path) end }",
    a: "local helper = require('./helper') return helper.load('./b')",
    b: "local helper = require('./helper') return helper.load('./a')",
  };
  await assert.rejects(run(modules, "return require('./a')"), /circular dependency: b -> a -> b/);
  // Only the chunk name suggests that this thread belongs to the module `slow`.
  const slow = { slow: "task.wait(0.01) return 'loaded'" };
  const source = "task.spawn(require, './slow') return require('./slow')";
  assert.deepEqual(await run(slow, source, { chunkName: "slow" }), ["loaded"]);
});

test("what was asked for before a stop does not count for what is asked for afterwards", async () => {
  /** @type {((source: string) => void)[]} */
  const answers = [];
  const luau = await Luau.create({ modules: () => new Promise((resolve) => answers.push(resolve)) });
  const before = luau.run("return require('./m')");
  luau.stop();
  await assert.rejects(before, { kind: "cancelled" });
  const after = luau.run("return require('./m')");
  answers[0]?.("return 'before'");
  // The first answer must have no effect, and no event would show that.
  for (let turn = 0; turn < 5; turn++) {
    await setImmediate();
  }
  answers[1]?.("return 'after'");
  assert.deepEqual(await after, ["after"]);
  luau.dispose();
});

test("thousands of threads that wait for a module which fails with a long text do not end the instance", async () => {
  const luau = await Luau.create({
    memoryLimit: 64 << 20,
    modules: () => "task.wait() error(string.rep('x', 1000000))",
  });
  const [lengths] = await luau.run(`
    local lengths = {}
    for _ = 1, 5000 do
      task.spawn(function()
        local _, message = pcall(require, "./long")
        lengths[#message] = (lengths[#message] or 0) + 1
      end)
    end
    while not next(lengths) do task.wait() end
    return lengths`);
  assert(lengths instanceof Map);
  assert.equal(lengths.size, 1);
  assert.deepEqual(await luau.run("return 1"), [1]);
  luau.dispose();
});
