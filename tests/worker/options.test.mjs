// Options that a worker does not support are refused before it starts. The error names the option, and nothing is left
// behind.
//
// Tier: default.

import assert from "node:assert/strict";
import { test } from "node:test";
import { LuauWorker } from "../../pkg/worker.js";

test("a value that is not a worker is refused, and no rejection is left unhandled", async (t) => {
  /** @type {unknown[]} */
  const unhandled = [];
  const note = (/** @type {unknown} */ reason) => void unhandled.push(reason);
  process.on("unhandledRejection", note);
  t.after(() => process.off("unhandledRejection", note));
  for (const [worker, ending] of /** @type {[any, RegExp][]} */ ([
    [() => null, /returned null/],
    [() => ({}), /returned an object/],
    [async () => ({}), /returned an object of the type Promise/],
    [() => {}, /returned undefined/],
  ])) {
    await assert.rejects(LuauWorker.create({ worker }), (error) => {
      assert(error instanceof TypeError, String(error));
      assert.match(error.message, /^option worker: must return a Worker/);
      assert.match(error.message, ending);
      return true;
    });
  }
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(unhandled, []);
});

test("the error for an invalid option names it", async () => {
  for (const [options, message] of /** @type {[any, RegExp][]} */ ([
    [null, /the options: not an object/],
    [{ websocket: 5 }, /option websocket: not a plain object/],
    [{ modules: new Map() }, /option modules: .* Map/],
    [{ worker: "worker.js" }, /option worker: not a function/],
    [{ websocket: { WebSocket: class {} } }, /option websocket\.WebSocket: a constructor cannot cross/],
    [{ wasm: new Response("") }, /option wasm: a worker needs/],
  ])) {
    await assert.rejects(LuauWorker.create(options), (error) => {
      assert(error instanceof TypeError, String(error));
      assert.match(error.message, message);
      return true;
    });
  }
});
