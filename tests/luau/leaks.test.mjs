// What is over leaves nothing behind: not in the wasm memory, not on the server, and no closure that JS still calls.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { startServer } from "../server/server.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** @type {Awaited<ReturnType<typeof startServer>>} */
let server;
/** @type {import("playwright-core").Browser} */
let browser;
/** @type {import("playwright-core").Page} */
let page;
/** @type {string} */
let silent;
/** @type {string[]} */
const complaints = [];

before(async () => {
  server = await startServer({ root });
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: ["--no-sandbox", "--disable-gpu"],
  });
  page = await browser.newPage();
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => complaints.push(message.text()));
  await page.goto(`http://127.0.0.1:${server.port}/tests/luau/page.html`);
  silent = `127.0.0.1:${(await ask("ports")).silent}`;
});

after(async () => {
  await browser?.close();
  await server?.close();
});

/** @param {string} question */
async function ask(question) {
  return (await fetch(`http://127.0.0.1:${server.port}/server/${question}`)).json();
}

/** A page of WebAssembly memory. */
const PAGE = 65_536;

test("1,500 cycles of connect, echo and close leave the memory flat, and no closure alive", async () => {
  const sizes = await page.evaluate(async (address) => {
    // @ts-expect-error: the page of the scripts is not what this file is checked with.
    const { default: init, Vm } = await import("/pkg/luau_websocket.js");
    const { memory, __wbindgen_externrefs: references } = await init();
    const vm = new Vm();
    const sizes = [];
    for (const cycles of [100, 900, 500]) {
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
  }, `ws://127.0.0.1:${server.port}/echo`);
  const [warm, later, last] = sizes;
  assert(warm && later && last);
  // The collector's rhythm and the allocator's gaps settle a little later than the first 100; a leak would not settle.
  assert(last.bytes - warm.bytes <= 4 * PAGE, JSON.stringify(sizes));
  assert.equal(last.bytes, later.bytes, JSON.stringify(sizes));
  // Every closure and every object of JS that the module holds has a place in this table.
  assert.equal(last.references, warm.references, JSON.stringify(sizes));
});

test("50 VMs disposed with open and half-open sockets leave no connection on the server", async () => {
  await page.evaluate(
    async ([address, silentAddress]) => {
      // @ts-expect-error: the page of the scripts is not what this file is checked with.
      const { Vm } = await import("/pkg/luau_websocket.js");
      const vms = [];
      for (let number = 0; number < 50; number++) {
        const vm = new Vm();
        await vm.run(`open = websocket.connect("${address}") open.OnMessage:Connect(print)`);
        vm.run(`websocket.connect("ws://${silentAddress}/")`).catch(() => {});
        vms.push(vm);
      }
      for (const vm of vms) {
        vm.dispose();
      }
    },
    [`ws://127.0.0.1:${server.port}/echo`, silent],
  );
  for (let tries = 0; tries < 40 && (await ask("connections")) > 0; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.equal(await ask("connections"), 0);
});

test("the browser never complained of a closure that is gone", () => {
  const others = complaints.filter((text) => !text.includes("closed before the connection is established"));
  assert.deepEqual(others, []);
});
