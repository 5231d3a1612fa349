// The memory limit holds for what a script makes Rust hold: the whole instance stays within two and a half times the limit.
//
// Tier: default.

import assert from "node:assert/strict";
import { test } from "node:test";
import { WebSocket } from "ws";
import { Luau, LuauError } from "../../pkg/node.js";
import { startServer } from "../server/server.mjs";
import { instances } from "./wasm-instances.mjs";

const LIMIT = 32 << 20;

/** Scripts that try to exceed the limit. Each ends by itself, or with an error. */
const SCRIPTS = {
  "numbers that deferred threads will get": `
    local thread, numbers = coroutine.create(print), table.create(7_000, 1)
    for _ = 1, 10_000 do
      task.defer(thread, table.unpack(numbers))
    end`,
  "numbers that delayed threads will get, a few at a time": `
    local thread, numbers = coroutine.create(print), table.create(100_000, 1)
    for _ = 1, 1_000 do
      task.delay(60, thread, table.unpack(numbers))
      task.wait()
    end`,
  "handlers that come and go": `
    local connection = assert(websocket.connect(url))
    for _ = 1, 1_000_000 do
      connection.OnMessage:Connect(print):Disconnect()
    end`,
  "threads that wait and are cancelled": `
    local connection = assert(websocket.connect(url))
    for _ = 1, 500_000 do
      task.cancel(task.spawn(function() connection.OnMessage:Wait() end))
    end`,
  "connections beyond the limit that are cancelled": `
    local connection = assert(websocket.connect(url))
    for _ = 1, 250_000 do
      task.cancel(task.spawn(websocket.connect, url))
    end`,
  "promises of threads that are cancelled": `
    for _ = 1, 400_000 do
      task.cancel(task.spawn(never))
    end`,
  "errors of the host": `
    local kept, text = {}, string.rep("e", 5_000_000)
    for index = 1, 40 do
      local _, message = pcall(fail, text .. index)
      kept[index] = message
    end`,
  "names in JSON": `
    local name = string.rep("n", 1_000_000)
    local value = {}
    for _ = 1, 120 do
      value = { [name] = value }
    end
    for _ = 1, 10 do
      pcall(json.encode, value)
    end`,
  "names of modules": `
    local name = "./" .. string.rep("m", 4_000)
    for index = 1, 30_000 do
      require(name .. index)
    end`,
  "threads that wait for a module and are cancelled": `
    task.spawn(require, "./never")
    for _ = 1, 1_500_000 do
      task.cancel(task.spawn(require, "./never"))
    end`,
  "places far below the root": `
    local places, place = {}, script
    for index = 1, 5_000 do
      place = place:FindFirstChild("a") or script:FindFirstChild("b" .. index)
      places[index] = place
    end`,
  "closed connections with long addresses": `
    local connections, long = {}, url .. "?" .. string.rep("a", 15_000)
    for index = 1, 6_000 do
      connections[index] = assert(websocket.connect(long))
      connections[index]:Close()
    end`,
  "subprotocols of connections that get no answer": `
    local protocols = {}
    for index = 1, 100 do
      protocols[index] = string.rep("p", 1_000) .. index
    end
    for _ = 1, 1_000 do
      task.spawn(websocket.connect, url, { protocols = protocols })
    end`,
};

for (const [name, script] of Object.entries(SCRIPTS)) {
  test(name, async () => {
    const server = await startServer();
    const luau = await Luau.create({
      memoryLimit: LIMIT,
      modules: (path) => (path === "never" ? new Promise(() => {}) : "return 1"),
      script: true,
      globals: {
        never: () => new Promise(() => {}),
        fail: (/** @type {string} */ text) => {
          throw Object.assign(new Error(text), { code: 5 });
        },
        url: `ws://127.0.0.1:${server.port}/echo`,
      },
      websocket: { WebSocket, maxConnections: name.includes("beyond") ? 1 : 255 },
      print: () => {},
      onError: () => {},
    });
    const instance = instances.at(-1)?.deref();
    await luau
      .run(script)
      .catch((error) => assert(error instanceof LuauError && error.kind !== "terminated", error));
    const memory = /** @type {WebAssembly.Memory} */ (instance?.exports.memory);
    assert(memory.buffer.byteLength < 2.5 * LIMIT, `${memory.buffer.byteLength} bytes`);
    luau.stop();
    assert.deepEqual(await luau.run("return 1"), [1]);
    luau.dispose();
    await server.close();
  });
}
