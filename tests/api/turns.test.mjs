// The event loop gets its turn no matter what resumes a thread: promises, rejections, modules, callbacks and sockets
// that answer in microtasks, which the event loop runs before anything else.
//
// Tier: default.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Luau } from "../../pkg/node.js";

/** A socket that answers at once, in a microtask. */
class PromptSocket {
  url = "";
  protocol = "";
  bufferedAmount = 0;
  onopen = () => {};
  /** @type {((event: object) => void) | null} */
  onclose = null;
  onmessage = (/** @type {object} */ _event) => {};
  constructor() {
    queueMicrotask(() => this.onopen());
  }
  addEventListener() {}
  /** @param {unknown} data */
  send(data) {
    queueMicrotask(() => this.onmessage({ data }));
  }
  close() {
    queueMicrotask(() => this.onclose?.({ code: 1000, reason: "", wasClean: true }));
  }
}

/** @type {[name: string, script: string][]} */
const SCRIPTS = [
  ["promises", "for i = 1, 20000 do greet('x') end"],
  ["rejections", "for i = 1, 20000 do pcall(fail) end"],
  ["thenables", "for i = 1, 20000 do later() end"],
  ["runs of its own", "for i = 1, 10000 do run('return 1') end"],
  ["callbacks", "repeatedly(function() end)"],
  ["callbacks that wait", "repeatedly(function() greet('x') end)"],
  ["modules", "for i = 1, 10000 do require('./module' .. i) end"],
  [
    "sockets",
    `local c = websocket.connect("ws://prompt/")
     for i = 1, 20000 do c:Send("x") c:Receive() end
     c:Close()`,
  ],
  [
    "threads that promises wake by turns",
    "for i = 1, 20 do task.spawn(function() for i = 1, 1500 do greet('x') end end) end",
  ],
];

for (const [name, script] of SCRIPTS) {
  test(`between ${name}`, async () => {
    const luau = await Luau.create({
      websocket: { WebSocket: PromptSocket },
      modules: async () => "return 1",
      globals: {
        greet: async (/** @type {string} */ name) => `Hello, ${name}!`,
        fail: async () => {
          throw new Error("no");
        },
        // biome-ignore lint/suspicious/noThenProperty: the test is about thenables
        later: () => ({ then: (/** @type {(value: number) => void} */ resolve) => resolve(1) }),
        run: (/** @type {string} */ source) => luau.run(source),
        repeatedly: async (/** @type {() => Promise<unknown>} */ call) => {
          for (let i = 0; i < 10_000; i++) {
            await call();
          }
        },
      },
    });
    let turns = 0;
    const interval = setInterval(() => turns++, 1);
    await luau.run(script);
    await luau.idle();
    clearInterval(interval);
    // Each of these scripts runs for tens of milliseconds at least, and without turns there would be none at all.
    assert(turns >= 3, `${turns} turns`);
    luau.dispose();
  });
}

test("stop, an abort and a limit reach a script that waits for promises all the time", async () => {
  const luau = await Luau.create({ globals: { greet: async () => "hello" } });
  const forever = "while true do greet('x') end";
  await assert.rejects(luau.run(forever, { signal: AbortSignal.timeout(20) }), { kind: "cancelled" });
  const stopped = assert.rejects(luau.run(forever), { kind: "cancelled" });
  setTimeout(() => luau.stop(), 20);
  await stopped;
  luau.dispose();
});

test("a call from a task of its own runs up to its first wait before it returns", async () => {
  const luau = await Luau.create();
  /** @type {string[]} */
  const seen = [];
  luau.set("see", (/** @type {string} */ text) => seen.push(text));
  const [call] = /** @type {any} */ (await luau.run("return function(text) see(text) task.wait() end"));
  for (const text of ["one", "two", "three"]) {
    // As long as a person takes, for the VM.
    await new Promise((resolve) => setTimeout(resolve, 30));
    const called = call(text);
    assert.equal(seen.at(-1), text);
    await called;
  }
  luau.dispose();
});

/** @param {() => Promise<unknown>} run Returns the number of times a timer fires meanwhile. */
async function turnsDuring(run) {
  let turns = 0;
  const interval = setInterval(() => turns++, 1);
  await run();
  clearInterval(interval);
  return turns;
}

test("timers get their turn between scripts that cannot be interrupted, of one VM and of many", async () => {
  const COUNT = 6;
  const vms = await Promise.all(Array.from({ length: COUNT }, () => Luau.create({ timeLimit: 300 })));
  const spin = "return setmetatable({}, { __index = function() while true do end end }).x";
  for (const list of [vms, Array(COUNT).fill(vms[0])]) {
    const turns = await turnsDuring(() =>
      Promise.all(list.map((luau) => assert.rejects(luau.run(spin), { kind: "timeout" }))),
    );
    assert(turns >= COUNT - 1, `${turns} turns`);
  }
  for (const luau of vms) {
    luau.dispose();
  }
});

test("runs that the host starts one after the other leave the event loop its turn", async () => {
  const luau = await Luau.create();
  const turns = await turnsDuring(async () => {
    for (let i = 0; i < 200; i++) {
      await luau.run("for i = 1, 1e6 do end");
    }
  });
  assert(turns >= 2, `${turns} turns`);
  luau.dispose();
});

test("a VM that is disposed while it keeps the event loop leaves no other one waiting", async () => {
  const luau = await Luau.create({ timeLimit: 300 });
  const other = await Luau.create();
  await assert.rejects(luau.run("return setmetatable({}, { __index = function() while true do end end }).x"));
  const run = other.run("task.wait() return 1");
  luau.dispose();
  assert.deepEqual(await run, [1]);
  other.dispose();
});
