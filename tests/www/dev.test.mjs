// `cargo xtask dev`: Vite serves the sources of the playground with hot reload, and proxies sockets to the echo server.
//
// Tier: default.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createServer } from "vite";
import { collectComplaints, openBrowser, openServer, root } from "../server/browser.mjs";
import { ready, run } from "./site.mjs";

/** @type {Awaited<ReturnType<typeof openServer>>} */
let server;
/** @type {import("playwright-core").Browser} */
let browser;
/** @type {import("vite").ViteDevServer} */
let vite;
const cacheDir = mkdtempSync(join(tmpdir(), "vite-"));

before(async () => {
  server = await openServer("playground");
  // The configuration reads the variable, which `cargo xtask dev` sets.
  process.env.ECHO_SERVER = `127.0.0.1:${server.port}`;
  vite = await createServer({
    configFile: join(root, "www/vite.config.ts"),
    cacheDir,
    logLevel: "error",
    server: { host: "127.0.0.1", port: 0 },
  });
  await vite.listen();
  browser = await openBrowser();
});

after(async () => {
  await browser?.close();
  await vite?.close();
  await server?.close();
  rmSync(cacheDir, { recursive: true, force: true });
});

test("a script talks to the echo server under the address of the page, and changes reach the page", async () => {
  const page = await browser.newPage();
  /** @type {string[]} */
  const complaints = [];
  collectComplaints(page, complaints);
  const address = vite.resolvedUrls?.local[0] ?? "";
  await page.goto(address);
  await ready(page);
  await run(
    page,
    `local socket = assert(websocket.connect("${address.replace("http", "ws")}echo"))
socket:Send("through Vite")
print((socket:Receive()))`,
  );
  await page.getByRole("log").getByText("through Vite", { exact: true }).waitFor();
  assert.equal(vite.ws.clients.size, 1, "the page listens for changes");
  assert.deepEqual(complaints, []);
});
