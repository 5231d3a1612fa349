// A worker thread of the host's own has its own WebSocket, and chooses what of a script's output reaches the page.
//
// Tier: default.
// Engines: all.

import assert from "node:assert/strict";
import { test } from "node:test";
import { inPage, pageOfWorkers } from "./in-page.mjs";

const context = pageOfWorkers();

test("hooks replace sockets and the values that scripts put out", async () => {
  const result = await inPage(context, async ({ LuauWorker, caught, eventually }) => {
    /** @type {unknown[]} */
    const printed = [];
    /** @type {any} */
    let reported;
    /** @type {any} */
    const options = {
      worker: () => new Worker("/tests/worker/serving-thread.mjs", { type: "module" }),
      print: (/** @type {string} */ text, /** @type {() => unknown[]} */ values) =>
        printed.push([text, ...values()]),
      onError: (/** @type {unknown} */ error) => {
        reported = error;
      },
    };
    const luau = await LuauWorker.create(options);
    const returned = await luau.run("print('a', 1) task.spawn(error, { code = 2 }) return { x = 3 }");
    const thrown = await caught(luau.run("error({ code = 4 })"));
    const text = await caught(luau.run("error('as it was', 0)"));
    const answer = await luau.run(
      "local connection = websocket.connect('ws://nowhere/path') connection:Send('x') return connection:Receive()",
    );
    await eventually(() => reported);
    // A policy of the page holds for these sockets too.
    const gated = await LuauWorker.create({ ...options, websocket: { allow: () => false } });
    const refused = await gated.run("return select(2, websocket.connect('ws://nowhere/path'))");
    luau.dispose();
    gated.dispose();
    return {
      printed,
      returned,
      thrown: thrown.value,
      text: text.value,
      reported: reported.value,
      answer,
      refused,
    };
  });
  assert.deepEqual(result.printed, [["a\t1", 'print: ["a",1]']]);
  assert.deepEqual(result.returned, ['return: [{"x":3}]']);
  assert.equal(result.reported, 'error: [{"code":2}]');
  assert.equal(result.thrown, 'error: [{"code":4}]');
  assert.equal(result.text, "as it was");
  assert.deepEqual(result.answer, ['return: ["ws://nowhere/path",false]']);
  assert.match(String(result.refused), /the host does not allow connections/);
});

test("the host sends and closes on a connection of a script", async () => {
  const result = await inPage(context, async ({ LuauWorker, echo, caught, eventually }) => {
    /** @type {[type: string, data: unknown][]} */
    const events = [];
    const luau = await LuauWorker.create({ onSocket: ({ type, data }) => events.push([type, data]) });
    const run = luau.run(
      `local connection = websocket.connect(...)
       local text, bytes = connection:Receive(), connection:Receive()
       local code, reason = connection.OnClose:Wait()
       return text, bytes, code, reason`,
      { args: [echo] },
    );
    await eventually(() => events.some(([type]) => type === "open"));
    await luau.socket(1).send("by hand");
    await luau.socket(1).send(new Uint8Array([1, 2]));
    await eventually(() => events.filter(([type]) => type === "message").length === 2);
    await luau.socket(1).close(4000, "enough");
    const results = await run;
    const late = await caught(luau.socket(1).send("late"));
    const unknown = await caught(luau.socket(7).close());
    luau.dispose();
    return {
      results,
      sent: events.filter(([type]) => type === "send").length,
      late: late.message,
      unknown: unknown.message,
    };
  });
  assert.deepEqual(result.results, ["by hand", "\u0001\u0002", 4000, "enough"]);
  assert.equal(result.sent, 2);
  assert.equal(result.late, "there is no open connection 1");
  assert.equal(result.unknown, "there is no open connection 7");
});
