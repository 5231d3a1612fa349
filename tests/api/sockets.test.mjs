// The host controls the sockets of scripts: which may open, how many, and by which constructor. An inspector sees every
// event.
//
// Tier: default.

import assert from "node:assert/strict";
import { test } from "node:test";
import WebSocket from "ws";
import { Luau } from "../../pkg/node.js";
import { eventually } from "../eventually.mjs";
import { serverForTests } from "../server/for-tests.mjs";

/** @typedef {import("../../pkg/node.js").SocketEvent} SocketEvent */

const server = serverForTests();

/**
 * @param {import("../../pkg/node.js").WebSocketOptions} websocket
 * @param {import("../../pkg/node.js").LuauOptions} [options]
 */
const vm = (websocket, options) => Luau.create({ ...options, websocket: { WebSocket, ...websocket } });

test("what the policy denies is nil and a reason, and the server never hears of it", async () => {
  /** @type {string[]} */
  const asked = [];
  const luau = await vm({
    allow: (url) => {
      asked.push(url.href);
      return url.pathname === "/echo";
    },
  });
  assert.deepEqual(
    await luau.run(`local c = websocket.connect("${server.echo}") c:Close() return typeof(c)`),
    ["WebSocketConnection"],
  );
  const [connection, reason] = await luau.run(`return websocket.connect("${server.echo}2")`);
  assert.equal(connection, undefined);
  assert.match(String(reason), /the host does not allow connections to/);
  assert.deepEqual(asked, [server.echo, `${server.echo}2`]);
  assert.deepEqual(
    await luau.run(
      `return select("#", websocket.connect("ws://[bad/")), select(2, websocket.connect("ws://[bad/"))`,
    ),
    [2, '"ws://[bad/" is not a valid URL'],
  );
  luau.dispose();
});

test("a policy that fails, or forgets to answer, allows nothing, and the host learns of it", async (t) => {
  const complaints = t.mock.method(console, "error", () => {});
  for (const allow of [
    () => {
      throw new Error("secret");
    },
    async () => true,
    () => 1,
  ]) {
    const luau = await vm({ allow: /** @type {any} */ (allow) });
    const [connection, reason] = await luau.run(`return websocket.connect("${server.echo}")`);
    assert.equal(connection, undefined);
    assert.match(String(reason), /the host does not allow/);
    assert.doesNotMatch(String(reason), /secret/);
    luau.dispose();
  }
  assert.equal(complaints.mock.callCount(), 3);
});

test("only so many connections at a time, those that are being opened too", async () => {
  const luau = await vm({ maxConnections: 2 });
  const results = await luau.run(`
    local results = {}
    for index = 1, 4 do
      task.spawn(function() results[index] = { websocket.connect("${server.echo}") } end)
    end
    repeat task.wait() until results[1] and results[2] and results[3] and results[4]
    local first = results[1][1]
    first:Close()
    first.OnClose:Wait()
    local again = websocket.connect("${server.echo}")
    return results[3][1], results[3][2], results[4][2], typeof(again)`);
  const message = "too many connections: the host allows 2 at a time";
  assert.deepEqual(results, [undefined, message, message, "WebSocketConnection"]);
  luau.dispose();
});

test("without any WebSocket a script is told so, and how to mend it", async () => {
  const luau = await Luau.create({ websocket: { WebSocket: undefined } });
  const [connection, reason] = await luau.run(`return websocket.connect("${server.echo}")`);
  assert.equal(connection === undefined, globalThis.WebSocket === undefined);
  if (globalThis.WebSocket === undefined) {
    assert.match(String(reason), /websocket\.WebSocket.*npm package ws/);
  }
  luau.dispose();
});

test("an inspector sees all that happens on each socket, in order", async () => {
  /** @type {SocketEvent[]} */
  const events = [];
  const luau = await vm({}, { onSocket: (event) => events.push(event) });
  const began = performance.now();
  const { closed } = await ports();
  await luau.run(`
    local c = websocket.connect("${server.echo}")
    c:Send("grüße")
    c:Send(buffer.fromstring("\\1\\2\\3"))
    c:Receive() c:Receive()
    c:Close(3001, "bye") c.OnClose:Wait()
    websocket.connect("ws://${closed}/")`);
  await eventually(() => events.filter(({ type }) => type === "close").length === 2);
  const seen = events.map(({ id, type, data, size, code, reason }) => [id, type, data, size, code, reason]);
  const bytes = new Uint8Array([1, 2, 3]);
  assert.deepEqual(seen, [
    [1, "connecting", undefined, undefined, undefined, undefined],
    [1, "open", undefined, undefined, undefined, undefined],
    [1, "send", "grüße", 7, undefined, undefined],
    [1, "send", bytes, 3, undefined, undefined],
    [1, "message", "grüße", 7, undefined, undefined],
    [1, "message", bytes, 3, undefined, undefined],
    [1, "close", undefined, undefined, 3001, "bye"],
    [2, "connecting", undefined, undefined, undefined, undefined],
    // The reason comes from the host, because the server gave none.
    [2, "close", undefined, undefined, 1006, `connect ECONNREFUSED ${closed}`],
  ]);
  assert(
    events.every(
      ({ url, time }) => url.startsWith("ws://127.0.0.1:") && time >= began && time <= performance.now(),
    ),
  );
  assert.deepEqual(
    events.map(({ time }) => time),
    events.map(({ time }) => time).sort((a, b) => a - b),
  );
  luau.dispose();
});

test("an inspector sees the end of sockets that the VM closes when it is stopped, and may fail", async (t) => {
  const complaints = t.mock.method(console, "error", () => {});
  /** @type {string[]} */
  const types = [];
  const luau = await vm(
    {},
    {
      onSocket: ({ type }) => {
        types.push(type);
        throw new Error("inspector");
      },
    },
  );
  await luau.run(`open = websocket.connect("${server.echo}") open:Send("x") open:Receive()`);
  luau.stop();
  await eventually(() => types.includes("close"));
  assert.deepEqual(types, ["connecting", "open", "send", "message", "close"]);
  assert.equal(complaints.mock.callCount(), 5);
  luau.dispose();
});

/** @returns {Promise<{ closed: number, silent: number }>} */
async function ports() {
  return (await fetch(`http://${server.host}/server/ports`)).json();
}

test("what waits in all connections together, and a message of any length, keep to the memory of the VM", async () => {
  /** @type {string[]} */
  const warnings = [];
  let messages = 0;
  const luau = await vm(
    { maxQueueBytes: 4_000_000 },
    {
      memoryLimit: 8_000_000,
      warn: (text) => warnings.push(text),
      onSocket: ({ type }) => {
        messages += type === "message" ? 1 : 0;
      },
      globals: { messages: () => messages },
    },
  );
  const large = `${server.base}/large?bytes=`;
  const results = await luau.run(
    `local function dropped(length)
       local before = messages()
       local c = websocket.connect("${large}" .. length)
       repeat task.wait() until messages() > before or c.Dropped > 0
       return c, c.Dropped
     end
     local one, none = dropped(3_000_000)
     local other, first = dropped(3_000_000)
     local third, tooLong = dropped(5_000_000)
     local length = #one:Receive()
     local reader = websocket.connect("${large}5000000")
     local nothing = reader:Receive(60)
     return none, first, tooLong, length, nothing, reader.CloseCode, reader.Dropped`,
  );
  assert.deepEqual(results, [0, 1, 1, 3_000_000, undefined, 4008, 1]);
  assert.equal(warnings.length, 2);
  // Messages that were read no longer count.
  assert.deepEqual(await luau.run(`return #websocket.connect("${large}3900000"):Receive(60)`), [3_900_000]);
  luau.dispose();
});

test("what waits to be sent is bounded too, and goes on when it has left", async () => {
  const luau = await vm({}, { memoryLimit: 16_000_000 });
  const [sent, message, isOpen] = await luau.run(
    `local c = websocket.connect("${server.base}/stall")
     local part, sent = string.rep("x", 100000), 0
     while sent < 1e9 do
       local ok, message = pcall(c.Send, c, part)
       if not ok then return sent, message, c.State end
       sent += #part
     end`,
  );
  assert(Number(sent) > 7_000_000 && Number(sent) < 40_000_000, `${sent} bytes`);
  assert.match(
    String(message),
    /bytes are waiting to be sent, and the limit is 8000000; wait until BufferedAmount is lower/,
  );
  assert.equal(isOpen, "Open");
  luau.dispose();
  // Any number of messages gets through to a server that reads.
  const other = await vm({}, { memoryLimit: 16_000_000 });
  const [count] = await other.run(
    `local c, count = websocket.connect("${server.echo}"), 0
     local part = string.rep("x", 500000)
     task.spawn(function() for message in c do count += #message end end)
     for i = 1, 40 do
       while not pcall(c.Send, c, part) do task.wait() end
     end
     while count < 20e6 do task.wait() end
     return count`,
  );
  assert.equal(count, 20_000_000);
  other.dispose();
});

// A socket of ws calls a copy of its list of listeners: first the inspector's, then the VM's, which is dropped by then.
for (const type of ["open", "message", "close"]) {
  for (const method of /** @type {const} */ (["stop", "dispose"])) {
    test(`${method} inside onSocket at the event ${type} ends nothing but what it should`, async () => {
      /** @type {string[]} */
      const types = [];
      const luau = await vm(
        {},
        {
          isolation: "shared",
          onSocket: (event) => {
            types.push(event.type);
            if (event.type === type && types.filter((seen) => seen === type).length === 1) {
              luau[method]();
            }
          },
        },
      );
      const bystander = await Luau.create({ isolation: "shared" });
      const run = luau.run(`
        local c = websocket.connect("${server.echo}")
        c:Send("x")
        c:Receive()
        c:Close()
        task.wait(600)`);
      await assert.rejects(run, { kind: method === "stop" ? "cancelled" : "disposed" });
      await eventually(() => types.includes("close"));
      assert.deepEqual(await bystander.run("return 1"), [1]);
      if (method === "stop") {
        assert.deepEqual(await luau.run("return 2"), [2]);
        luau.dispose();
      }
      bystander.dispose();
    });
  }
}
