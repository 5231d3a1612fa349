// If nothing awaits a call of a script's function, its error goes to `onError` once, and the process does not end.
//
// The runner fails a test with an unhandled rejection.
//
// Tier: default.

import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import WebSocket from "ws";
import { Luau, LuauError } from "../../pkg/node.js";
import { eventually } from "../eventually.mjs";

/** @typedef {(...args: unknown[]) => Promise<unknown[]>} Call */

/** @param {import("node:test").TestContext} t */
async function failing(t) {
  /** @type {LuauError[]} */
  const errors = [];
  const luau = await Luau.create({ onError: (error) => errors.push(error) });
  t.after(() => luau.dispose());
  const [fail, wait, add] = /** @type {Call[]} */ (
    await luau.run(`
      return function(message) task.wait() error(message, 0) end, function() task.wait(3600) end,
        function(a, b) return a + b, a end`)
  );
  assert(fail && wait && add);
  return { luau, errors, fail, wait, add };
}

test("the error of a call that nobody waits for is reported once", async (t) => {
  const { errors, fail } = await failing(t);
  fail("first");
  fail("second");
  await eventually(() => errors.length === 2);
  // Nothing else may be reported, and no event would show that.
  await sleep(20);
  assert.deepEqual(
    errors.map(({ kind, message }) => [kind, message]),
    [
      ["runtime", "first"],
      ["runtime", "second"],
    ],
  );
  assert(errors[0] instanceof LuauError);
});

test("an error that somebody waits for is theirs, in whatever way they wait", async (t) => {
  const { luau, errors, fail, add } = await failing(t);
  const isFailure = { message: "mine" };
  await assert.rejects(async () => await fail("mine"), isFailure);
  await assert.rejects(async () => fail("mine"), isFailure);
  await assert.rejects(fail("mine").then(), isFailure);
  await assert.rejects(Promise.all([add(1, 2), fail("mine")]), isFailure);
  await assert.rejects(Promise.resolve(fail("mine")), isFailure);
  await assert.rejects(new Promise((resolve) => resolve(fail("mine"))), isFailure);
  assert.equal(await fail("mine").catch((error) => error.message), "mine");
  assert.deepEqual(await Promise.any([fail("mine"), add(1, 2)]), [3, 1]);
  assert.equal((await Promise.allSettled([fail("mine")]))[0]?.status, "rejected");
  const promise = fail("mine");
  queueMicrotask(() => promise.catch(() => {}));
  // A script awaits a promise that a host function returns.
  luau.set("call", (/** @type {Call} */ f) => f("mine"));
  assert.deepEqual(await luau.run("return pcall(call, function(message) error(message, 0) end)"), [
    false,
    "mine",
  ]);
  await sleep(20);
  assert.deepEqual(errors, []);
});

test("the promise is like any other", async (t) => {
  const { add } = await failing(t);
  const promise = add(1, 2);
  assert(promise instanceof Promise);
  const derived = promise.then(([sum]) => sum);
  assert.equal(Object.getPrototypeOf(derived), Promise.prototype);
  assert.equal(await derived, 3);
  assert.deepEqual(await promise.finally(() => {}), [3, 1]);
  assert.deepEqual(await promise, [3, 1]);
});

test("whoever handles only success leaves a rejection unhandled, as with any promise", async (t) => {
  const { errors, fail } = await failing(t);
  const listeners = process.listeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection");
  t.after(() => {
    for (const listener of listeners) {
      process.on("unhandledRejection", listener);
    }
  });
  const unhandled = once(process, "unhandledRejection");
  fail("mine").then(() => {});
  const [error] = await unhandled;
  assert.equal(/** @type {Error} */ (error).message, "mine");
  assert.deepEqual(errors, []);
});

test("calls that stop and dispose end are not reported", async (t) => {
  const { luau, errors, wait } = await failing(t);
  wait();
  luau.stop();
  await luau.idle();
  wait();
  luau.dispose();
  wait();
  await sleep(20);
  assert.deepEqual(errors, []);
});

test("an onError that fails does not end the process", async (t) => {
  const log = t.mock.method(console, "error", () => {});
  const luau = await Luau.create({
    onError: () => {
      throw new Error("broken");
    },
  });
  const [fail] = /** @type {Call[]} */ (await luau.run("return function() error('lost?', 0) end"));
  fail?.();
  await eventually(() => log.mock.callCount() > 0);
  assert.match(String(log.mock.calls[0]?.arguments), /lost\?.*broken/s);
  luau.dispose();
});

test("an async policy for connections allows none, and its rejection is handled", async (t) => {
  const errors = t.mock.method(console, "error", () => {});
  const allow = /** @type {any} */ (
    async () => {
      throw new Error("no policy");
    }
  );
  const luau = await Luau.create({ websocket: { WebSocket, allow } });
  t.after(() => luau.dispose());
  const [connection] = await luau.run("return (websocket.connect('ws://127.0.0.1:9/'))");
  assert.equal(connection, undefined);
  assert.match(String(errors.mock.calls[0]?.arguments[0]), /must return true or false/);
});
