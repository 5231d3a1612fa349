// A call into a VM near the end of the JS stack fails without harm. If the stack overflows inside the instance anyway,
// the instance ends as after every fault, even if there is no stack left for the code that ends it.
//
// Tier: default.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Luau, LuauError } from "../../pkg/node.js";
import { eventually } from "../eventually.mjs";
import { distances, nearTheEnd } from "./stack-room.mjs";

/** @type {unknown[]} */
const uncaught = [];
/** @type {Luau} */
let bystander;

before(async () => {
  process.on("uncaughtException", (error) => uncaught.push(error));
  process.on("unhandledRejection", (error) => uncaught.push(error));
  bystander = await Luau.create({ globalScope: "vm" });
  await bystander.run("kept = 'still here'");
});

after(async () => {
  assert.deepEqual(await bystander.run("task.wait() return kept"), ["still here"]);
  bystander.dispose();
  assert.deepEqual(uncaught, []);
});

/** @param {unknown} error */
const isTermination = (error) => error instanceof LuauError && error.kind === "terminated";

/** @param {unknown} error */
const isOverflow = (error) => error instanceof RangeError;

/** @param {number} depth */
const nested = (depth) => `return ${"(".repeat(depth)}1${")".repeat(depth)}`;

test("a call without enough stack throws or rejects, and the VM keeps working", async () => {
  const luau = await Luau.create();
  const [echo] = /** @type {any} */ (await luau.run("x = 1 return function(...) return ... end"));
  const waiting = luau.run("task.wait(3600)");
  waiting.catch(() => {});
  const idle = () => {
    const promise = luau.idle();
    idlers.push(promise);
    return promise;
  };
  /** @type {Promise<void>[]} */
  const idlers = [];
  /** @type {(() => unknown)[]} */
  const calls = [
    () => luau.run("return ...", { chunkName: "overflow", args: [{ a: [1, { b: "text" }] }] }),
    () => echo([1, 2, { a: 1 }]),
    () => luau.get("x"),
    () => luau.set("x", { a: { b: 1 } }),
    () => luau.check("return 1"),
    idle,
    () => luau.stats,
  ];
  let overflows = 0;
  for (const call of calls) {
    // Near the end of the stack V8 does not compile functions that were never called.
    call();
    for (const distance of distances()) {
      try {
        const result = nearTheEnd(distance, call);
        // `idle()` does not settle before the end of the test, because a thread waits.
        await (call === idle ? Promise.race([result, undefined]) : result);
      } catch (error) {
        assert(isOverflow(error), String(error));
        overflows++;
      }
    }
    assert.deepEqual(await luau.run("return 1"), [1], String(call));
  }
  assert(overflows > 100, `${overflows} overflows`);
  luau.dispose();
  await assert.rejects(waiting, { kind: "disposed" });
  const outcomes = await Promise.allSettled(idlers);
  assert(outcomes.every(({ status }) => status === "rejected"));
});

test("source nested as deeply as the parser allows needs no more stack than every call requires", async () => {
  const luau = await Luau.create();
  assert.equal(luau.check(nested(350)), null);
  assert.match(String(luau.check(nested(450))), /nested|recursion depth/);
  let refused = 0;
  for (const distance of distances()) {
    for (const depth of [350, 450]) {
      try {
        nearTheEnd(distance, () => luau.check(nested(depth)));
      } catch (error) {
        assert(isOverflow(error), String(error));
        refused++;
      }
    }
    assert.deepEqual(await luau.run("return 1"), [1]);
  }
  assert(refused > 50, `${refused} refused`);
  luau.dispose();
});

test("if the stack overflows in the code that ends the instance, the end is delayed until there is room", async () => {
  let ended = 0;
  for (const distance of distances()) {
    // Called from inside the instance. Calls into it again near the end of the stack.
    const print = (/** @type {string} */ _, /** @type {() => unknown[]} */ values) => {
      // Near the end of the stack V8 does not compile functions that were never called.
      values();
      try {
        nearTheEnd(distance, values);
      } catch {}
    };
    const luau = await Luau.create({ print });
    const waiting = luau.run("task.wait(3600)");
    waiting.catch(() => {});
    try {
      await luau.run("local t = {} for i = 1, 100 do t = { t, i, tostring(i) } end print(t) return 1");
    } catch (error) {
      assert(isTermination(error) || isOverflow(error), String(error));
    }
    const [result] = await Promise.allSettled([luau.run("return 1")]);
    if (result?.status === "fulfilled") {
      luau.dispose();
      continue;
    }
    ended++;
    assert(isTermination(result?.reason), String(result?.reason));
    await assert.rejects(waiting, isTermination);
  }
  assert(ended > 0);
});

test("an event that arrives near the end of the stack, outside all calls, also ends the instance properly", async () => {
  /** @type {any[]} */
  const opened = [];
  class FakeWebSocket extends EventTarget {
    readyState = 0;
    url = "ws://fake/";
    protocol = "";
    isClosed = false;
    constructor() {
      super();
      opened.push(this);
    }
    close() {
      this.isClosed = true;
    }
  }
  let ended = 0;
  for (const distance of distances()) {
    let isListening = false;
    const luau = await Luau.create({
      websocket: { WebSocket: /** @type {any} */ (FakeWebSocket) },
      globals: {
        listening: () => {
          isListening = true;
        },
      },
    });
    const waiting = luau.run(`
      local socket = websocket.connect("ws://fake/")
      socket.OnMessage:Connect(function(text) local t = string.split(text, " ") end)
      listening()
      task.wait(3600)`);
    waiting.catch(() => {});
    // A busy machine delays the start of the chunk.
    await eventually(() => opened.length > 0);
    const socket = opened.pop();
    socket.onopen();
    await eventually(() => isListening);
    const { onmessage } = socket;
    const send = () => onmessage({ data: "a b c" });
    send();
    try {
      nearTheEnd(distance, send);
    } catch {}
    // Nobody calls the VM after this.
    const outcome = await Promise.race([
      waiting.catch((error) => error),
      new Promise((resolve) => setTimeout(resolve, 1, "alive")),
    ]);
    if (outcome === "alive") {
      assert.deepEqual(await luau.run("return 1"), [1]);
      luau.dispose();
      continue;
    }
    ended++;
    assert(isTermination(outcome), String(outcome));
    assert(socket.isClosed);
  }
  assert(ended > 0);
});

test("a host function that recurses without end fails, and the script can catch the error", async () => {
  /** @type {(value: unknown) => unknown} */
  const recurse = (value) => [recurse(value)];
  const luau = await Luau.create({ globals: { recurse } });
  const [ok, message] = await luau.run("return pcall(recurse, {})");
  assert.equal(ok, false);
  assert.match(String(message), /call stack/);
  luau.dispose();
});

test("a run that is aborted near the end of the stack is cancelled as soon as there is room", async () => {
  const luau = await Luau.create();
  const controller = new AbortController();
  const waiting = luau.run("task.wait(3600)", { signal: controller.signal });
  nearTheEnd(1_000, () => controller.abort());
  await assert.rejects(waiting, { kind: "cancelled" });
  luau.dispose();
});
