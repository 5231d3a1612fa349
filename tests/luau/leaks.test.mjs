// What is over leaves nothing behind: not in the wasm memory, not on the server, and no closure that JS still calls.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, engine, pageForTests } from "../server/browser.mjs";

const context = pageForTests("/tests/luau/page.html", async ({ page }) => {
  await page.waitForFunction(() => "runScript" in globalThis);
});

/** A page of WebAssembly memory. */
const PAGE = 65_536;

test("1,500 cycles of connect, echo and close leave the memory flat, and no closure alive", async () => {
  const sizes = await context.page.evaluate(async (address) => {
    const { Luau } = /** @type {any} */ (globalThis);
    const vm = await Luau.create();
    const { memory, __wbindgen_externrefs: references } = /** @type {any} */ (globalThis).wasm;
    const sizes = [];
    for (const cycles of [100, 1_400]) {
      await vm.run(`
        for _ = 1, ${cycles} do
          local connection = websocket.connect("${address}")
          local got
          connection.OnMessage:Connect(function(message) got = message connection:Close() end)
          connection:Send("hello")
          connection.OnClose:Wait()
          assert(got == "hello")
        end`);
      sizes.push({ bytes: memory.buffer.byteLength, references: references.length });
    }
    vm.dispose();
    return sizes;
  }, `ws://127.0.0.1:${context.port}/echo`);
  const [warm, last] = sizes;
  assert(warm && last);
  // The memory grows by an eighth at a time, and the rhythm of the collector may make it do so once: that is 280 bytes for each cycle.
  assert(last.bytes - warm.bytes <= warm.bytes / 8 + 2 * PAGE, JSON.stringify(sizes));
  // Every closure and every object of JS that the module holds has a place in this table.
  assert.equal(last.references, warm.references, JSON.stringify(sizes));
});

test("50 VMs disposed with open and half-open sockets leave no connection on the server", async () => {
  const { silent } = await ask(context, "ports");
  await context.page.evaluate(
    async ([address, silentAddress]) => {
      const { Luau } = /** @type {any} */ (globalThis);
      const vms = [];
      for (let number = 0; number < 50; number++) {
        const vm = await Luau.create();
        await vm.run(`open = websocket.connect("${address}") open.OnMessage:Connect(print)`);
        vms.push(vm);
      }
      // Only then: while some are half-open, a browser takes its time with each further one.
      for (const vm of vms) {
        vm.run(`websocket.connect("ws://${silentAddress}/")`).catch(() => {});
      }
      await new Promise((resolve) => setTimeout(resolve, 500));
      Object.assign(globalThis, { vms });
    },
    [`ws://127.0.0.1:${context.port}/echo`, silent],
  );
  assert.equal(await ask(context, "connections"), 50);
  assert((await ask(context, "half-open")) > 0);
  await context.page.evaluate(() => {
    for (const vm of /** @type {any} */ (globalThis).vms) {
      vm.dispose();
    }
  });
  /** @type {() => Promise<number[]>} */
  const left = async () => [
    await ask(context, "connections"),
    // Firefox holds a connection that was closed before the server answered until it would have given up by itself.
    engine === "Firefox" ? 0 : await ask(context, "half-open"),
  ];
  for (let tries = 0; tries < 40 && (await left()).some((count) => count > 0); tries++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.deepEqual(await left(), [0, 0]);
});

test("the browser never complained of a closure that is gone", () => {
  const others = context.complaints.filter(
    (text) => !text.includes("closed before the connection is established"),
  );
  assert.deepEqual(others, []);
});
