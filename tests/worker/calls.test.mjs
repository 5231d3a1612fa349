// Calls into a worker have the same results as calls of a VM in the page.
//
// Tier: default; --full adds more calls of a function of the page.
// Engines: all.

import assert from "node:assert/strict";
import { test } from "node:test";
import { unexpected } from "../server/browser.mjs";
import { inPage, pageOfWorkers } from "./in-page.mjs";

const context = pageOfWorkers();

test("runs, arguments and results", async () => {
  const results = await inPage(context, async ({ LuauWorker }) => {
    const luau = await LuauWorker.create({ globalScope: "vm" });
    const results = [
      await luau.run("return 1 + 1, 'text', nil, { 1, 2 }, { a = { b = true } }"),
      await luau.run(new TextEncoder().encode("return ...")),
      await luau.run("return select('#', ...), ...", { args: [1, [2], { three: 3 }, null] }),
      [...(await luau.run("return { [0.5] = 1 }"))[0]],
      [...(await luau.run("return buffer.fromstring('ab')"))[0]],
      await Promise.all([
        luau.run("task.wait(0.05) order = (order or '') .. 'b'"),
        luau.run("order = 'a'"),
      ]).then(() => luau.get("order")),
      await luau.get("missing"),
      await luau.set("given", new Map([[1, "one"]])).then(() => luau.run("return given[1]")),
      await luau.check("return 1"),
    ];
    luau.dispose();
    return results;
  });
  assert.deepEqual(results, [
    [2, "text", undefined, [1, 2], { a: { b: true } }],
    [],
    [4, 1, [2], { three: 3 }, undefined],
    [[0.5, 1]],
    [97, 98],
    "ab",
    undefined,
    ["one"],
    null,
  ]);
});

test("errors have all their members", async () => {
  const errors = await inPage(context, async ({ LuauWorker, LuauError, told, caught }) => {
    /** @type {any[]} */
    const reported = [];
    const luau = await LuauWorker.create({ onError: (error) => reported.push(error) });
    const runtime = await caught(
      luau.run("local function broken()\n  error({ code = 7 })\nend\nbroken()", { chunkName: "chunk" }),
    );
    const syntax = await luau.check("local = 1", "wrong");
    await luau.run("task.spawn(error, 'nobody waits')");
    const cause = new RangeError("of the page");
    await luau.set("fail", () => {
      throw cause;
    });
    const thrown = await caught(luau.run("fail()"));
    const bigint = await caught(luau.run("", { args: [2n ** 64n] }));
    const getter = await caught(
      luau.set("x", {
        get broken() {
          throw cause;
        },
      }),
    );
    const members = (/** @type {any} */ { frames, line, chunkName, value, traceback }) => ({
      frames,
      line,
      chunkName,
      value,
      traceback,
    });
    luau.dispose();
    return {
      runtime: { ...told(runtime), ...members(runtime) },
      syntax: { ...told(syntax), line: syntax.line },
      reported: reported.map(told),
      thrown: { ...told(thrown), isSame: thrown.cause === cause },
      bigint: told(bigint),
      getter: { ...told(getter), isSame: getter.cause === cause },
      isError: runtime instanceof Error && runtime instanceof LuauError,
    };
  });
  assert.equal(errors.isError, true);
  assert.deepEqual(errors.runtime.value, { code: 7 });
  assert.equal(errors.runtime.kind, "runtime");
  assert.deepEqual(
    errors.runtime.frames.map((/** @type {any} */ { chunkName, line, name }) => [chunkName, line, name]),
    [
      ["chunk", 2, "broken"],
      ["chunk", 4, undefined],
    ],
  );
  assert.deepEqual([errors.runtime.chunkName, errors.runtime.line], ["chunk", 2]);
  assert.match(errors.runtime.traceback, /chunk:2 function broken\nchunk:4/);
  assert.deepEqual([errors.syntax.kind, errors.syntax.line, errors.syntax.name], ["syntax", 1, "LuauError"]);
  assert.equal(errors.reported.length, 1);
  assert.match(String(errors.reported[0]?.message), /nobody waits/);
  assert.match(errors.thrown.message, /of the page/);
  assert.equal(errors.thrown.isSame, true);
  assert.match(errors.bigint.message, /bigint/);
  assert.equal(errors.getter.isSame, true);
  assert.match(errors.getter.message, /cannot be a Luau value: of the page/);
});

test("functions go both ways, and come back as they were", async () => {
  const result = await inPage(context, async ({ LuauWorker, failure }) => {
    const given = new (class Given {})();
    const callback = (/** @type {number[]} */ ...args) => args.reduce((a, b) => a + b);
    const luau = await LuauWorker.create({
      globals: {
        callback,
        later: async (/** @type {unknown} */ value) => value,
        given,
        call: async (/** @type {Function} */ f, /** @type {unknown[]} */ ...args) => (await f(...args))[0],
      },
    });
    const [back, object, date] = await luau.run("return callback, given, ...", { args: [document] });
    const [luauFunction, thread] = await luau.run(
      "return function(...) return ... end, coroutine.create(print)",
    );
    const [isSame] = await luau.run("local f, t = ... return type(f) == 'function' and type(t) == 'thread'", {
      args: [luauFunction, thread],
    });
    await luau.set("f", luauFunction);
    const result = {
      same: [
        back === callback,
        object === given,
        date === document,
        isSame,
        (await luau.get("f")) === luauFunction,
      ],
      sum: await luau.run("return callback(1, 2, 3), later('later'), call(function(x) return x * 2 end, 21)"),
      called: await luauFunction(1, "two", [3]),
      text: String(thread).replace(/0x.*/, ""),
      kinds: await luau.run("return type(callback), typeof(given)"),
      inner: await failure((await luau.run("return function() error('inner', 0) end"))[0]()),
      caught: await luau.run("return pcall(call, function() error('caught', 0) end)"),
    };
    luau.dispose();
    return { ...result, after: await failure(luauFunction()) };
  });
  assert.deepEqual(result.same, [true, true, true, true, true]);
  assert.deepEqual(result.sum, [6, "later", 42]);
  assert.deepEqual(result.called, [1, "two", [3]]);
  assert.equal(result.text, "thread: ");
  assert.equal(result.kinds[0], "function");
  assert.deepEqual([result.inner.kind, result.inner.message], ["runtime", "inner"]);
  assert.deepEqual(result.caught.slice(0, 1), [false]);
  assert.match(result.caught[1], /caught/);
  assert.equal(result.after.kind, "disposed");
});

test("a function of the page can be called again and again", async () => {
  const { count, calls } = await inPage(context, async ({ LuauWorker, isFull }) => {
    const calls = isFull ? 20_000 : 4_000;
    let count = 0;
    const luau = await LuauWorker.create({ globals: { tick: () => ++count } });
    await luau.run("for _ = 1, ... do tick() end", { args: [calls] });
    luau.dispose();
    return { count, calls };
  });
  assert.equal(count, calls);
});

test("modules find each other by script, in a worker too", async () => {
  const results = await inPage(context, async ({ LuauWorker }) => {
    const sources = { "lib/one": "return require(script.Parent.two)", "lib/two": "return script.Name" };
    const run = async (/** @type {any} */ modules) => {
      const luau = await LuauWorker.create({ modules, script: true });
      try {
        return await luau.run("return require(script.Parent.lib.one)");
      } finally {
        luau.dispose();
      }
    };
    const find = (/** @type {keyof typeof sources} */ path) => sources[path];
    return [await run(sources), await run(find)];
  });
  assert.deepEqual(results, [["two"], ["two"]]);
});

test("modules, as an object and as a function", async () => {
  const results = await inPage(context, async ({ LuauWorker, failure }) => {
    /** @type {string[]} */
    const asked = [];
    const run = async (/** @type {any} */ modules, /** @type {string} */ source) => {
      const luau = await LuauWorker.create({ modules });
      try {
        return await luau.run(source);
      } finally {
        luau.dispose();
      }
    };
    const class_ = new (class {
      one = "return 'of a class'";
    })();
    return {
      object: await run({ "lib/one.luau": "return 1" }, "return require('./lib/one')"),
      inMetamethod: await run(
        { one: "return 'at hand'" },
        "return setmetatable({}, { __index = function() return require('./one') end }).x",
      ),
      instance: await run(class_, "return require('./one')"),
      function: await run(async (/** @type {string} */ path) => {
        asked.push(path);
        return path === "deep/init" ? new TextEncoder().encode("return 'deep'") : null;
      }, "return require('./deep')"),
      asked,
      missing: await failure(run(() => null, "require('./gone')")),
      thenable: await run(
        // biome-ignore lint/suspicious/noThenProperty: the test is about thenables
        () => ({ then: (/** @type {any} */ resolve) => resolve("return 'then'") }),
        "return require('./x')",
      ),
      refused: await Promise.all(
        [new ArrayBuffer(1), new Uint16Array(1), new Response()].flatMap((source) => [
          failure(run(() => source, "require('./x')")),
          failure(run(async () => source, "require('./x')")),
          failure(run({ x: source }, "require('./x')")),
        ]),
      ),
    };
  });
  assert.deepEqual(results.object, [1]);
  assert.deepEqual(results.inMetamethod, ["at hand"]);
  assert.deepEqual(results.instance, ["of a class"]);
  assert.deepEqual(results.function, ["deep"]);
  assert.deepEqual(results.asked, ["deep", "deep/init"]);
  assert.match(results.missing.message, /gone/);
  assert.deepEqual(results.thenable, ["then"]);
  for (const { message } of results.refused) {
    assert.match(message, /the source of "x" is neither a string nor a Uint8Array/);
  }
});

test("an aborted run is cancelled, with the reason as the cause", async () => {
  const result = await inPage(context, async ({ LuauWorker, told }) => {
    const luau = await LuauWorker.create();
    const reason = { message: "enough", code: 1 };
    const abort = async (/** @type {AbortSignal} */ signal, act = () => {}) => {
      const run = luau.run("task.wait(60)", { signal });
      act();
      const error = await run.catch((error) => error);
      return { ...told(error), isSame: error.cause === reason };
    };
    const controller = new AbortController();
    const later = await abort(controller.signal, () => setTimeout(() => controller.abort(reason), 20));
    const before = await abort(AbortSignal.abort(reason));
    const timeout = await abort(AbortSignal.timeout(20));
    const result = { later, before, timeout, stats: await luau.stats, value: await luau.run("return 1") };
    luau.dispose();
    return result;
  });
  for (const { kind, isSame, message } of [result.later, result.before]) {
    assert.deepEqual([kind, isSame], ["cancelled", true], message);
  }
  assert.equal(result.timeout.kind, "cancelled");
  assert.deepEqual([result.stats.threads, result.stats.timers, result.value], [0, 0, [1]]);
});

test("stop, idle and stats", async () => {
  const result = await inPage(context, async ({ LuauWorker, failure, eventually, echo }) => {
    const luau = await LuauWorker.create({ timeSlice: 8 });
    // The loop comes last, because then nothing else runs except at the page's request.
    const sources = ["task.wait(60)", `websocket.connect("${echo}"):Receive()`, "while true do end"];
    const runs = sources.map((source) => failure(luau.run(source)));
    let busy = await luau.stats;
    await eventually(async () => {
      busy = await luau.stats;
      return busy.sockets === 1 && busy.threads >= 3;
    });
    await luau.stop();
    const errors = await Promise.all(runs);
    await luau.idle();
    const result = { busy, errors, after: await luau.stats, value: await luau.run("return 'again'") };
    luau.dispose();
    return result;
  });
  assert(result.busy.memory > 1_000);
  assert.deepEqual(
    result.errors.map(({ kind }) => kind),
    ["cancelled", "cancelled", "cancelled"],
  );
  assert.deepEqual([result.after.threads, result.after.sockets], [0, 0]);
  assert.deepEqual(result.value, ["again"]);
});

test("nothing of all this made the browser complain", () => {
  assert.deepEqual(unexpected(context.complaints), []);
});
