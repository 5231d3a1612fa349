// Any static host will do: under any path, without a server of ours, and after the first visit without a network.

import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { launchBrowser } from "../server/browser.mjs";
import { startServer } from "../server/server.mjs";
import { ready, run, status } from "./site.mjs";

const site = fileURLToPath(new URL("../../target/site/", import.meta.url));
/** The bytes that a visitor may have to wait for, compressed. */
const BUDGET = 600_000;

/** @type {string} */
let folder;
/** @type {Awaited<ReturnType<typeof startServer>>} */
let server;
/** @type {import("playwright-core").Browser} */
let browser;
/** @type {string} */
let address;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "site-"));
  cpSync(site, join(folder, "deep/down"), { recursive: true });
  server = await startServer({ root: folder });
  browser = await launchBrowser();
  address = `http://127.0.0.1:${server.port}/deep/down/`;
});
after(async () => {
  await browser.close();
  await server.close();
  rmSync(folder, { recursive: true });
});

test("the first load is small, and the site works under a path, with the server inside of it", async () => {
  const page = await browser.newPage();
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  let bytes = 0;
  /** @type {string[]} */
  const large = [];
  // What comes while it comes: of what is read as a stream the end is told late.
  session.on("Network.responseReceived", ({ response }) => {
    bytes += response.encodedDataLength;
  });
  session.on("Network.dataReceived", ({ encodedDataLength }) => {
    bytes += encodedDataLength;
  });
  page.on("response", (response) => {
    if (!response.ok()) {
      large.push(`${response.status()} ${response.url()}`);
    }
  });
  await page.goto(address);
  await ready(page);
  assert.deepEqual(large, []);
  console.log(`# ${bytes} bytes before the first run is possible`);
  assert(bytes > 100_000 && bytes < BUDGET, `${bytes} bytes before the first run is possible`);
  await page.getByText("Examples talk to a server inside this page").waitFor();
  await page.getByRole("button", { name: "Run" }).click();
  await page.getByRole("log").getByText("Echo: Hello from Luau!").waitFor();
  await page.close();
});

test("after the first visit it opens and runs without a network", async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(address);
  await ready(page);
  await page.evaluate(async () => {
    await navigator.serviceWorker.ready;
  });
  await context.setOffline(true);
  await page.reload();
  await ready(page);
  await run(
    page,
    'print("offline")\nlocal ws = websocket.connect("ws://loopback/echo")\nws:Send("a")\nprint(ws:Receive())\nws:Close()',
  );
  await page.getByRole("log").getByText("offline").waitFor();
  await page.getByRole("log").getByText(/^a\b/).waitFor();
  await status(page, "Finished");
  await context.close();
});
