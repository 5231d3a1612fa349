// Finished work leaves nothing behind: nothing in the wasm memory or on the server, and no closure that JS still calls.
//
// Tier: default; --full adds cycles.
// Engines: all.

import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "../eventually.mjs";
import { ask, engine, pageForTests, unexpected } from "../server/browser.mjs";
import { isFull } from "../server/tier.mjs";

const context = pageForTests("/tests/luau/page.html", async ({ page }) => {
  await page.waitForFunction(() => "runScript" in globalThis);
});

/** The number of connections, enough to reveal a leak of a few hundred bytes. */
const CYCLES = isFull ? 1_500 : 500;

/** The size of a page of WebAssembly memory. */
const PAGE = 65_536;

test(`${CYCLES} cycles of connect, echo and close leave the memory flat, and no closure alive`, async () => {
  const sizes = await context.page.evaluate(
    async ({ address, cycles }) => {
      const { Luau } = /** @type {any} */ (globalThis);
      const vm = await Luau.create();
      const { memory, __wbindgen_externrefs: references } = /** @type {any} */ (globalThis).wasm;
      const sizes = [];
      for (const count of [100, cycles - 100]) {
        await vm.run(`
        for _ = 1, ${count} do
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
    },
    { address: `ws://127.0.0.1:${context.port}/echo`, cycles: CYCLES },
  );
  const [warm, last] = sizes;
  assert(warm && last);
  // The memory grows by an eighth at a time, which the collector's rhythm may cause once: that is 280 bytes for each of
  // 1,500 cycles.
  assert(last.bytes - warm.bytes <= warm.bytes / 8 + 2 * PAGE, JSON.stringify(sizes));
  // Every closure and JS object that the module holds has an entry in this table.
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
      // Only then, because browsers take their time with further connections while some are half-open.
      for (const vm of vms) {
        vm.run(`websocket.connect("${silentAddress}")`).catch(() => {});
      }
      Object.assign(globalThis, { vms });
    },
    [`ws://127.0.0.1:${context.port}/echo?tag=leaks`, `ws://${silent}/?tag=leaks`],
  );
  assert.equal(await ask(context, "connections?tag=leaks"), 50);
  await eventually(async () => (await ask(context, "half-open?tag=leaks")) > 0);
  await context.page.evaluate(() => {
    for (const vm of /** @type {any} */ (globalThis).vms) {
      vm.dispose();
    }
  });
  /** @type {() => Promise<number[]>} */
  const left = async () => [
    await ask(context, "connections?tag=leaks"),
    // Firefox holds a connection that was closed before the server answered until it would have timed out.
    engine === "Firefox" ? 0 : await ask(context, "half-open?tag=leaks"),
  ];
  await eventually(async () => (await left()).every((count) => count === 0));
});

test("the browser never reported a call of a dropped closure", () => {
  assert.deepEqual(unexpected(context.complaints), []);
});
