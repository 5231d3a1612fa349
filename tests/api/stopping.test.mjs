// Ending scripts: stop, dispose, abort, limits, and waiting until nothing runs.
//
// Tier: default.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import WebSocket from "ws";
import { Luau, LuauError } from "../../pkg/node.js";
import { eventually } from "../eventually.mjs";
import { collectAll } from "../garbage.mjs";
import { serverForTests } from "../server/for-tests.mjs";

const server = serverForTests();

/**
 * Creates a VM, and a list of the errors that nothing handled.
 *
 * @param {import("../../pkg/node.js").LuauOptions} [options]
 */
async function vm(options) {
  /** @type {LuauError[]} */
  const errors = [];
  const luau = await Luau.create({
    websocket: { WebSocket },
    onError: (error) => errors.push(error),
    ...options,
  });
  return { luau, errors };
}

/**
 * @param {string} kind
 * @param {RegExp} [message]
 */
const ofKind =
  (kind, message = /./) =>
  (/** @type {unknown} */ error) => {
    assert(error instanceof LuauError, String(error));
    assert.equal(error.kind, kind, error.message);
    assert.match(error.message, message);
    return true;
  };

test("stop cancels threads, timers, sockets, promises and modules; the VM runs on", async () => {
  const { luau, errors } = await vm({
    globals: { never: () => new Promise(() => {}) },
    modules: (path) => (path === "slow" ? new Promise(() => {}) : "return 1"),
  });
  const runs = [
    "task.wait(60)",
    "never()",
    "require('./slow')",
    "coroutine.yield()",
    `websocket.connect("${server.echo}").OnMessage:Wait()`,
    `local c = websocket.connect("${server.echo}") for message in c do end`,
    "websocket.connect('ws://127.0.0.1:9/', { timeout = 60 }) task.wait(60)",
  ].map((source) => assert.rejects(luau.run(source), ofKind("cancelled")));
  await luau.run("task.delay(60, print) task.defer(function() end)");
  const isBusy = () => luau.stats.threads >= 6 && luau.stats.timers >= 2 && luau.stats.sockets >= 2;
  await eventually(isBusy, () => JSON.stringify(luau.stats));
  luau.stop();
  await Promise.all(runs);
  await luau.idle();
  const { threads, timers, sockets } = luau.stats;
  assert.deepEqual({ threads, timers, sockets }, { threads: 0, timers: 0, sockets: 0 });
  // The script itself stops the VM, so the delay cannot be over before.
  luau.set("halt", () => luau.stop());
  const halted = luau.run("task.delay(0.02, function() late = true end) halt()");
  await assert.rejects(halted, ofKind("cancelled"));
  // Nothing may happen, and no event would show that. The timer would have fired by then.
  await sleep(40);
  assert.equal(luau.get("late"), undefined);
  assert.deepEqual(await luau.run("return require('./quick')"), [1]);
  assert.deepEqual(errors, []);
  luau.dispose();
});

test("stop and dispose from inside a function that a script called end the script, whatever it catches", async () => {
  for (const [method, kind] of /** @type {const} */ ([
    ["stop", "cancelled"],
    ["dispose", "disposed"],
  ])) {
    const { luau, errors } = await vm();
    luau.set("halt", () => luau[method]());
    luau.set("reached", () => assert.fail("the script went on"));
    await assert.rejects(luau.run("while true do pcall(halt) pcall(reached) end"), ofKind(kind));
    if (method === "stop") {
      await assert.rejects(
        luau.run("coroutine.wrap(function() pcall(halt) while true do end end)()"),
        ofKind(kind),
      );
      await luau.run("task.spawn(function() halt() end)").catch(ofKind(kind));
      assert.deepEqual(await luau.run("return 'alive'"), ["alive"]);
    }
    assert.deepEqual(errors, []);
    luau.dispose();
  }
});

test("the host is not called again by what calls it without code of the script in between", async () => {
  const sources = [
    "table.foreach({ 1, 2, 3 }, host)",
    "table.foreachi({ 1, 2, 3 }, host)",
    "table.sort({ 4, 3, 2, 1 }, host)",
    "string.gsub('abc', '.', host)",
    "xpcall(host, host)",
    "pcall(xpcall, host, host)",
    "for _ in host do end",
    "coroutine.wrap(host)() coroutine.wrap(host)()",
    "local t = setmetatable({}, { __index = host }) local _ = t.a, t.b",
    "local t = setmetatable({}, { __newindex = host }) t.a = 1 t.b = 1",
    "local t = setmetatable({}, { __add = host, __concat = host }) local _ = t + t, t .. t",
    "local t = setmetatable({}, { __lt = host, __le = host, __eq = host }) local _ = t < t, t <= t",
    "local t = setmetatable({}, { __len = host, __unm = host }) local _ = #t, -t, #t",
    "local t = setmetatable({}, { __call = host }) pcall(t) pcall(t)",
    "local t = setmetatable({}, { __tostring = host }) print(t, t)",
    "local t = setmetatable({}, { __iter = host }) for _ in t do end for _ in t do end",
    "task.spawn(host) task.spawn(host)",
    "task.spawn(host) print() warn() require('./module')",
  ];
  for (const end of /** @type {("stop" | "dispose")[]} */ (["stop", "dispose"])) {
    for (const source of sources) {
      let calls = 0;
      const count = () => {
        if (calls++ === 0) {
          luau[end]();
        }
      };
      const { luau } = await vm({
        globals: { host: count },
        print: count,
        warn: count,
        modules: () => {
          count();
          return "return 1";
        },
      });
      await assert.rejects(
        luau.run(source),
        ofKind(end === "stop" ? "cancelled" : "disposed"),
        `${end}: ${source}`,
      );
      assert.equal(calls, 1, `${end}: ${source}`);
      luau.dispose();
    }
  }
});

test("a run is aborted before, while it waits, and while it computes", async () => {
  const { luau } = await vm();
  const reason = new Error("enough");
  await assert.rejects(luau.run("ran = true", { signal: AbortSignal.abort(reason) }), (error) => {
    return ofKind("cancelled")(error) && /** @type {any} */ (error).cause === reason;
  });
  assert.equal(luau.get("ran"), undefined);

  const controller = new AbortController();
  const waiting = luau.run("task.wait(60)", { signal: controller.signal });
  const other = luau.run("task.wait(0.05) return 'other'");
  setTimeout(() => controller.abort(reason), 10);
  await assert.rejects(
    waiting,
    (error) => ofKind("cancelled")(error) && /** @type {any} */ (error).cause === reason,
  );
  assert.deepEqual(await other, ["other"]);

  const inside = new AbortController();
  luau.set("abort", () => inside.abort());
  await assert.rejects(
    luau.run("pcall(abort) while true do pcall(task.wait) end", { signal: inside.signal }),
    ofKind("cancelled"),
  );
  // An abort after the end changes nothing.
  const late = new AbortController();
  assert.deepEqual(await luau.run("return 1", { signal: late.signal }), [1]);
  late.abort();
  assert.deepEqual(await luau.run("return 2"), [2]);
  luau.dispose();
});

test("a time limit ends what computes for too long, and not what waits", async () => {
  const { luau, errors } = await vm({ timeLimit: 50 });
  await assert.rejects(luau.run("local n = 0\nwhile true do n += 1 end"), (error) => {
    return ofKind("timeout", /^script:2: timed out/)(error) && /** @type {any} */ (error).line === 2;
  });
  await assert.rejects(
    luau.run("while true do pcall(function() while true do end end) end"),
    ofKind("timeout"),
  );
  assert.equal(errors.length, 0);
  await luau.run("task.defer(function() while true do end end)");
  await luau.idle();
  assert.deepEqual(
    errors.map((error) => error.kind),
    ["timeout"],
  );
  luau.dispose();
  // Longer than the busiest machine keeps a thread from running, because that time counts as computing.
  const { luau: patient } = await vm({ timeLimit: 500 });
  assert.deepEqual(await patient.run("for _ = 1, 6 do task.wait(0.1) end return 'waited'"), ["waited"]);
  patient.dispose();
});

test("a time limit ends conversions too", async () => {
  // The table is filled in parts, each well within the limit, and takes long to convert.
  const fill = `local t, text = table.create(4e6), string.rep("x", 100)
    for i = 1, 4e6, 1e5 do
      task.wait()
      for j = i, i + 99999 do t[j] = text end
    end
    task.wait()`;
  const message = "timed out: the script has run longer than its time limit without waiting";
  /** @type {unknown[]} */
  const thrown = [];
  /** @type {Promise<unknown>[]} */
  const runs = [];
  const { luau, errors } = await vm({
    timeLimit: 200,
    memoryLimit: 2 ** 29,
    print(_, values) {
      try {
        values();
      } catch (error) {
        thrown.push(error);
      }
    },
    globals: {
      take: () => {},
      run: () => {
        const args = [new Array(4e6).fill("x")];
        runs.push(assert.rejects(luau.run("return 1", { args }), ofKind("timeout")));
        // The compiler has no time left either.
        runs.push(assert.rejects(luau.run("do local _ = { 1 } end\n".repeat(1e4)), ofKind("timeout")));
      },
    },
  });
  await assert.rejects(luau.run(`${fill} return t`), ofKind("timeout", new RegExp(message)));
  await assert.rejects(luau.run(`${fill} return pcall(take, t)`), ofKind("timeout", new RegExp(message)));
  await assert.rejects(
    luau.run(`${fill} return pcall(json.encode, t)`),
    ofKind("timeout", new RegExp(message)),
  );
  await assert.rejects(luau.run(`${fill} print(t)`), ofKind("timeout", new RegExp(message)));
  assert.equal(thrown.length, 1);
  ofKind("timeout", new RegExp(message))(thrown[0]);
  await assert.rejects(luau.run("run() while true do end"), ofKind("timeout"));
  assert.equal(runs.length, 2);
  await Promise.all(runs);
  assert.equal(errors.length, 0);
  // Nothing waits for this thread.
  await luau.run(`task.defer(function() ${fill} json.encode(t) end)`);
  await luau.idle();
  assert.equal(errors.length, 1);
  ofKind("timeout", new RegExp(message))(errors[0]);
  luau.dispose();
});

test("a host function that stops its VM may convert and compile right afterwards", async () => {
  /** @type {Promise<unknown>[]} */
  const runs = [];
  const { luau } = await vm({
    globals: {
      restart: () => {
        luau.stop();
        runs.push(luau.run("return #...", { args: [new Array(1e5).fill(1)] }));
        runs.push(luau.run("do local _ = { 1 } end\n".repeat(1e4)));
      },
    },
  });
  await assert.rejects(luau.run("restart()"), ofKind("cancelled"));
  assert.deepEqual(await Promise.all(runs), [[1e5], []]);
  luau.dispose();
});

test("a memory limit is an error of the script, and the VM lives on", async () => {
  const { luau } = await vm({ memoryLimit: 4e6 });
  for (const source of [
    "local t = {} while true do table.insert(t, string.rep('x', 1000) .. #t) end",
    "return string.rep('x', 1e8)",
    "return table.create(1e7, 1)",
    "return buffer.create(1e8)",
    "local t = {} while true do table.insert(t, coroutine.create(print)) end",
    "local t = {} while true do table.insert(t, function() return t end) end",
  ]) {
    await assert.rejects(luau.run(source), ofKind("memory", /not enough memory/), source);
    assert.deepEqual(await luau.run("local ok, e = pcall(string.rep, 'x', 1e8) return ok, e"), [
      false,
      "not enough memory",
    ]);
  }
  assert.deepEqual(await luau.run("return #string.rep('x', 1e5)"), [1e5]);
  await assert.rejects(luau.run("return ...", { args: ["x".repeat(1e7)] }), ofKind("memory"));
  assert(luau.stats.memory < 4e6);
  luau.dispose();
  await assert.rejects(Luau.create({ memoryLimit: 1000 }), ofKind("memory", /needs \d+ bytes/));
});

test("idle waits for threads, timers and sockets, and for nothing else", async () => {
  let open = () => {};
  const gate = new Promise((resolve) => {
    open = () => resolve(undefined);
  });
  const { luau } = await vm({ globalScope: "vm", globals: { gate: () => gate } });
  await luau.idle();
  let isIdle = false;
  await luau.run(`
    task.delay(0.02, function() a = true end)
    task.spawn(function() gate() task.wait(0.02) b = true end)
    task.spawn(function()
      local c = websocket.connect("${server.echo}")
      c.OnMessage:Connect(function() c:Close() end)
      c:Send("x") c.OnClose:Wait() d = true
    end)
    coroutine.wrap(coroutine.yield)()`);
  const idle = luau.idle().then(() => {
    isIdle = true;
  });
  await eventually(() => luau.get("a") && luau.get("d"));
  await setImmediate();
  assert.equal(isIdle, false);
  open();
  await idle;
  assert.deepEqual([luau.get("a"), luau.get("b"), luau.get("d")], [true, true, true]);
  const disposed = assert.rejects(luau.run("task.wait(60)"), ofKind("disposed"));
  const never = assert.rejects(luau.idle(), ofKind("disposed"));
  luau.dispose();
  await Promise.all([disposed, never]);
});

test("disposing twice is once, afterwards every call says so, and `using` disposes", async () => {
  const { luau } = await vm();
  const [f] = /** @type {any} */ (await luau.run("return function() end"));
  luau.dispose();
  luau.dispose();
  for (const call of [
    () => luau.get("x"),
    () => luau.set("x", 1),
    () => luau.check(""),
    () => luau.stats,
    () => luau.stop(),
  ]) {
    assert.throws(call, ofKind("disposed", /create a new one/));
  }
  for (const call of [() => luau.run(""), () => luau.idle(), f]) {
    await assert.rejects(call(), ofKind("disposed"));
  }
  const other = await Luau.create();
  other[Symbol.dispose]();
  assert.throws(() => other.stats, ofKind("disposed"));
});

test("a signal that a function of the script aborts ends it in its first stretch too", async () => {
  const { luau } = await vm({ timeLimit: 5_000 });
  const controller = new AbortController();
  luau.set("abort", () => controller.abort("enough"));
  await assert.rejects(
    luau.run("abort() while true do end", { signal: controller.signal }),
    ofKind("cancelled", /enough/),
  );
  assert.deepEqual(await luau.run("return 1"), [1]);
  luau.dispose();
});

test("no name of a chunk and no __tostring is a way around the time limit", async () => {
  const { luau, errors } = await vm({ timeLimit: 100 });
  await assert.rejects(luau.run("while true do end", { chunkName: "luau-websocket" }), ofKind("timeout"));
  await assert.rejects(luau.run("loadstring('while true do end', '=luau-websocket')()"), ofKind("timeout"));
  const endless = "error(setmetatable({}, { __tostring = function() while true do end end }))";
  await assert.rejects(luau.run(endless), ofKind("timeout"));
  await luau.run(`task.spawn(function() ${endless} end)`).catch(ofKind("timeout"));
  await luau.run(`task.defer(function() ${endless} end)`);
  await luau.idle();
  assert(errors.length > 0);
  for (const error of errors) {
    ofKind("timeout")(error);
  }
  luau.dispose();
});

for (const waits of [
  "task.wait(math.huge)",
  "task.delay(math.huge, print) task.wait(1e9)",
  "while true do task.wait(0.05) end",
]) {
  test(`a program goes on as long as its script waits: ${waits}`, async () => {
    const entry = new URL("../../pkg/node.js", import.meta.url).href;
    const program = `import { Luau } from "${entry}";
      const run = (await Luau.create()).run(${JSON.stringify(waits)});
      console.log("begun");
      await run;`;
    const args = ["--input-type=module", "--eval", program];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    const ended = once(child, "exit");
    await Promise.race([once(child.stdout, "data"), ended]);
    // It must not end, and no event would show that.
    const first = await Promise.race([ended, sleep(300)]);
    child.kill();
    await ended;
    assert.equal(first, undefined, "it ended by itself");
  });
}

test("a VM that the page let go of lives as long as the page holds a function of it", async () => {
  const [double] = await (await vm()).luau.run("local factor = 2 return function(n) return n * factor end");
  await collectAll();
  assert.deepEqual(await /** @type {any} */ (double)(21), [42]);
});

test("calls that are ended together share their error", async () => {
  /** @type {Promise<unknown>[]} */
  const calls = [];
  const luau = await Luau.create({
    globals: { call: (/** @type {() => Promise<unknown>} */ f) => void calls.push(f()) },
  });
  await luau.run("for i = 1, 1e3 do call(function() task.wait(3600) end) end");
  luau.stop();
  const outcomes = await Promise.allSettled(calls);
  const reasons = new Set(outcomes.map((outcome) => outcome.status === "rejected" && outcome.reason));
  assert.equal(outcomes.length, 1_000);
  assert.equal(reasons.size, 1);
  const [reason] = reasons;
  assert(reason instanceof LuauError && reason.kind === "cancelled");
  luau.dispose();
});
