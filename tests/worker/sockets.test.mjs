// Scripts in a worker connect only to addresses that the page allows.
//
// Tier: default.
// Engines: all.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, unexpected } from "../server/browser.mjs";
import { inPage, pageOfWorkers } from "./in-page.mjs";

const context = pageOfWorkers();

test("allow is asked in the page, and the script is told what it denies", async () => {
  const result = await inPage(context, async ({ LuauWorker, echo }) => {
    /** @type {unknown[]} */
    const asked = [];
    const luau = await LuauWorker.create({
      websocket: {
        allow: (url) => {
          asked.push([url instanceof URL, url.pathname]);
          if (url.pathname === "/broken") {
            throw new Error("the policy failed");
          }
          return url.pathname !== "/denied";
        },
      },
    });
    const connect = (/** @type {string} */ address) =>
      luau.run(
        `local connection, reason = websocket.connect(...)
        if not connection then return false, reason end
        connection:Send("text") local text = connection:Receive()
        connection:Send(buffer.fromstring("bytes")) local bytes, isBinary = connection:Receive()
        local seen = { text, bytes, isBinary, connection.Url, connection.BufferedAmount, connection.State }
        connection:Close(3001, "done")
        connection.OnClose:Wait()
        return true, seen, connection.CloseCode, connection.CloseReason, connection.WasClean`,
        { args: [address] },
      );
    const console_ = console.error;
    console.error = () => {};
    const results = {
      granted: await connect(echo),
      denied: await connect(echo.replace("/echo", "/denied")),
      broken: await connect(echo.replace("/echo", "/broken")),
      refused: await connect(echo.replace("/echo", "/forbidden")),
      left: await luau.stats,
      asked,
    };
    console.error = console_;
    luau.dispose();
    return results;
  });
  const [isOpen, seen, ...close] = result.granted;
  assert.equal(isOpen, true);
  assert.deepEqual([seen[0], seen[1], seen[2]], ["text", "bytes", true]);
  assert.equal(seen[3], `ws://127.0.0.1:${context.port}/echo`);
  assert.deepEqual(close, [3001, "done", true]);
  for (const [isGranted, reason] of [result.denied, result.broken, result.refused]) {
    assert.equal(isGranted, false);
    assert.match(reason, /could not connect/);
  }
  for (const [, reason] of [result.denied, result.broken]) {
    assert.match(reason, /: the host does not allow connections to this address$/);
  }
  assert.equal(result.left.sockets, 0);
  assert.deepEqual(
    result.asked,
    ["/echo", "/denied", "/broken", "/forbidden"].map((path) => [true, path]),
  );
});

test("an event of a long message has its size, and no data that could not cross", async () => {
  const sent = await inPage(context, async ({ LuauWorker, echo, eventually }) => {
    /** @type {import("../../pkg/vm/options.js").SocketEvent[]} */
    const sent = [];
    const luau = await LuauWorker.create({
      onSocket: (event) => {
        if (event.type === "send") {
          sent.push(event);
        }
      },
    });
    await luau.run(
      "local connection = websocket.connect(...) connection:Send('short') connection:Send(string.rep('x', 2 ^ 27 + 1))",
      { args: [echo] },
    );
    await eventually(() => sent.length === 2);
    luau.dispose();
    return sent.map(({ size, data }) => [size, data]);
  });
  assert.deepEqual(sent, [
    [5, "short"],
    [2 ** 27 + 1, undefined],
  ]);
});

test("a connect that is given up while the page is asked opens nothing", async () => {
  const stats = await inPage(context, async ({ LuauWorker, echo, sleep }) => {
    let answer = () => {};
    const isAsked = new Promise((resolve) => {
      answer = () => resolve(undefined);
    });
    const luau = await LuauWorker.create({
      websocket: {
        allow: () => {
          answer();
          return true;
        },
      },
    });
    await luau.run(`local thread = task.spawn(websocket.connect, ...) task.cancel(thread)`, {
      args: [`${echo}?tag=given-up`],
    });
    await luau.idle();
    await isAsked;
    // No connection may be opened, and no event would show that.
    await sleep(100);
    const stats = await luau.stats;
    luau.dispose();
    return stats;
  });
  assert.equal(stats.sockets, 0);
  assert.equal(await ask(context, "connections?tag=given-up"), 0);
});

test("nothing else made the browser complain", () => {
  assert.deepEqual(unexpected(context.complaints), []);
});
