// After a fault inside the WebAssembly instance, all pending operations of its VMs and all later calls fail with an
// error of kind `terminated`. Nothing reaches the event loop, sockets are closed, and the next VM has a fresh instance.
//
// The fault is real: the memory of the instance is overwritten, and the next call into it traps.
//
// Tier: default.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import WebSocket from "ws";
import { Luau, LuauError } from "../../pkg/node.js";
import { eventually } from "../eventually.mjs";
import { serverForTests } from "../server/for-tests.mjs";
import { instances, ruin } from "./wasm-instances.mjs";

const server = serverForTests();
/** @type {unknown[]} */
const uncaught = [];

before(async () => {
  process.on("uncaughtException", (error) => uncaught.push(error));
  process.on("unhandledRejection", (error) => uncaught.push(error));
});

/** @param {unknown} error */
function isTermination(error) {
  assert(error instanceof LuauError, String(error));
  assert.equal(error.kind, "terminated");
  assert.match(error.message, /make new ones/);
  assert(error.cause instanceof Error);
  return true;
}

const options = { websocket: { WebSocket } };
/** @type {import("../../pkg/node.js").LuauOptions} */
const shared = { ...options, isolation: "shared" };

test("a fault in a call ends what is pending in every VM of the instance, and every later call", async () => {
  const one = await Luau.create(shared);
  const other = await Luau.create(shared);
  const [waits] = /** @type {any} */ (await other.run("return function() task.wait(60) end"));
  const address = `${server.echo}?tag=terminated`;
  await other.run(`socket = websocket.connect("${address}") socket.OnMessage:Connect(print)`);
  const pending = [one.run("task.wait(60)"), waits(), other.idle()].map((promise) =>
    assert.rejects(promise, isTermination),
  );
  await connections(1);
  ruin();
  await assert.rejects(one.run("return 1"), isTermination);
  await Promise.all(pending);
  for (const luau of [one, other]) {
    await assert.rejects(luau.run("return 1"), isTermination);
    await assert.rejects(luau.idle(), isTermination);
    assert.throws(() => luau.get("x"), isTermination);
    assert.throws(() => luau.set("x", 1), isTermination);
    assert.throws(() => luau.check("x"), isTermination);
    assert.throws(() => luau.stats, isTermination);
    assert.throws(() => luau.stop(), isTermination);
    luau.dispose();
  }
  await assert.rejects(waits(), isTermination);
  await connections(0);
});

test("a fault while the arguments of a call are handed over ends the instance too", async () => {
  const luau = await Luau.create(options);
  const waiting = assert.rejects(luau.run("task.wait(60)"), isTermination);
  ruin();
  // The name is copied into the memory of the instance before the call.
  await assert.rejects(luau.run("return 1", { chunkName: "x".repeat(1000) }), isTermination);
  assert.throws(() => luau.get("x"), isTermination);
  await waiting;
});

test("a fault in a timer is told to who waits, and not to the event loop", async () => {
  const luau = await Luau.create(options);
  const pending = assert.rejects(luau.run("while true do task.wait(0.01) end"), isTermination);
  ruin();
  await pending;
  // Nothing may be thrown later, and no event would show that.
  await sleep(20);
  assert.deepEqual(uncaught, []);
});

test("the next VM of those that share one has a fresh instance, as many as ask at the same time", async () => {
  const before = instances.length;
  const several = await Promise.all([1, 2, 3].map(() => Luau.create(shared)));
  assert.equal(instances.length, before + 1);
  for (const luau of several) {
    assert.deepEqual(await luau.run("task.wait() return 1 + 1"), [2]);
    luau.dispose();
  }
});

test("a function of the page that faults from inside a script ends the script, not the page", async () => {
  const luau = await Luau.create({ ...options, globals: { ruin } });
  await assert.rejects(luau.run("ruin() return string.rep('x', 10)"), isTermination);
  const fresh = await Luau.create(options);
  assert.deepEqual(await fresh.run("return 1"), [1]);
  fresh.dispose();
  // Nothing may be thrown later, and no event would show that.
  await sleep(20);
  assert.deepEqual(uncaught, []);
});

/**
 * Waits until the server has this number of connections.
 *
 * @param {number} expected
 */
async function connections(expected) {
  const url = `http://${server.host}/server/connections?tag=terminated`;
  await eventually(async () => (await (await fetch(url)).json()) === expected);
}

test("the timers of an instance that is gone keep no program from ending", async () => {
  const luau = await Luau.create(options);
  const waiting = luau.run("task.wait(3600)");
  // The timers that record when the event loop had control are short.
  await new Promise((resolve) => setTimeout(resolve, 20));
  const timers = () => process.getActiveResourcesInfo().filter((type) => type === "Timeout").length;
  const before = timers();
  ruin();
  await assert.rejects(luau.run("return 1"), isTermination);
  await assert.rejects(waiting, isTermination);
  assert.equal(timers(), before - 1);
});

test("a socket that is not as the standard says is no fault", async () => {
  class Odd {
    protocol = null;
    constructor() {
      setTimeout(() => /** @type {any} */ (this).onopen(), 1);
      setTimeout(() => /** @type {any} */ (this).onmessage({ data: {} }), 2);
      setTimeout(() => /** @type {any} */ (this).onclose({}), 3);
    }
    addEventListener() {}
    close() {}
    get url() {
      throw new Error("no url");
    }
  }
  const luau = await Luau.create({ websocket: { WebSocket: Odd } });
  const results = await luau.run(`
    local c = websocket.connect("ws://odd/")
    local message = c:Receive()
    return c.Url, c.Protocol, c.BufferedAmount, message, c.OnClose:Wait()`);
  assert.deepEqual(results, ["", "", 0, "", 1006, "", false]);
  luau.dispose();
  const closed = await Luau.create({
    websocket: {
      WebSocket: class {
        addEventListener() {}
        set onopen(/** @type {unknown} */ _) {
          throw new Error("sealed");
        }
        close() {}
      },
    },
  });
  assert.deepEqual(await closed.run('return websocket.connect("ws://odd/")'), [undefined, "sealed"]);
  closed.dispose();
});
