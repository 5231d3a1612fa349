// The site works on any static host: under any path, without our server, and without a network after the first visit.
//
// Tier: default.

import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { openBrowser } from "../server/browser.mjs";
import { startServer } from "../server/server.mjs";
import { ready, run, status, write } from "./site.mjs";

const site = fileURLToPath(new URL("../../target/site/", import.meta.url));
/** The size limit of everything that the first run needs, in compressed bytes. */
const BUDGET = 680_000;

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
  browser = await openBrowser();
  address = `http://127.0.0.1:${server.port}/deep/down/`;
});
after(async () => {
  await browser.close();
  await server.close();
  rmSync(folder, { recursive: true });
});

test("the first load is small, and the site works under any path, with the server inside it", async () => {
  // Counts all bytes sent to the browser, including the headers, no matter which thread requests them.
  let bytes = 0;
  const counter = createServer((browser) => {
    const host = connect(server.port, "127.0.0.1");
    host.on("data", ({ length }) => {
      bytes += length;
    });
    browser.pipe(host).pipe(browser);
    browser.on("error", () => host.destroy());
    host.on("error", () => browser.destroy());
  });
  await new Promise((resolve) => counter.listen(0, "127.0.0.1", () => resolve(undefined)));
  counter.unref();
  // A service worker would load more, for the next visit.
  const page = await browser.newPage({ serviceWorkers: "block" });
  /** @type {string[]} */
  const failed = [];
  page.on("response", (response) => {
    if (!response.ok()) {
      failed.push(`${response.status()} ${response.url()}`);
    }
  });
  // Scripts run without these files.
  const rest = /\/(?:checker|inspector|syntax|deferred-extensions)[\w.-]*$/;
  await page.route(rest, (route) => route.abort());
  const { port } = /** @type {import("node:net").AddressInfo} */ (counter.address());
  await page.goto(`http://127.0.0.1:${port}/deep/down/`);
  await ready(page);
  const first = bytes;
  await page.getByText("Examples talk to a server inside this page").waitFor();
  await page.getByRole("button", { name: "Run" }).click();
  await page.getByRole("log").getByText("Echo: Hello from Luau!").waitFor();
  console.log(`# ${first} bytes before the first run is possible, and ${bytes} with it`);
  assert.deepEqual(failed, []);
  assert(first > 100_000 && bytes < BUDGET, `${bytes} bytes until the first run`);
  await page.close();
  counter.close();
});

test("a bar grows while the page loads, and the status line only says when loading starts and ends", async () => {
  const page = await browser.newPage();
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  await session.send("Network.emulateNetworkConditions", {
    offline: false,
    latency: 0,
    downloadThroughput: 300_000,
    uploadThroughput: 300_000,
  });
  await page.addInitScript(() => {
    /** @type {string[]} */
    const told = [];
    /** @type {number[]} */
    const grown = [];
    Object.assign(window, { told, grown });
    document.addEventListener("DOMContentLoaded", () => {
      const [status, progress] = ["#status", "progress"].map((selector) => document.querySelector(selector));
      const look = () => {
        if (status?.textContent !== told.at(-1)) {
          told.push(status?.textContent ?? "");
        }
        const { position } = /** @type {HTMLProgressElement} */ (progress);
        if (position >= 0 && position !== grown.at(-1)) {
          grown.push(position);
        }
      };
      new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true });
      look();
    });
  });
  await page.goto(address);
  await ready(page);
  const { told, grown } = await page.evaluate(() => {
    const { told, grown } = /** @type {any} */ (window);
    return { told, grown };
  });
  assert.deepEqual(told, ["Loading…", "Ready"]);
  assert(grown.length > 3 && grown.at(-1) === 1, grown.join());
  assert.deepEqual(
    grown,
    [...grown].sort((/** @type {number} */ a, /** @type {number} */ b) => a - b),
  );
  assert.equal(await page.getByRole("progressbar").isVisible(), false);
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

test("once the browser has stored the checker, types are checked without a network", async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(address);
  await ready(page);
  await page.evaluate(async () => {
    const isStored = async (/** @type {string} */ file) => {
      for (const name of await caches.keys()) {
        const requests = await (await caches.open(name)).keys();
        if (requests.some(({ url }) => url.includes(file))) {
          return true;
        }
      }
      return false;
    };
    while (!((await isStored("/checker_bg-")) && (await isStored("/checker-worker-")))) {
      // The service worker stores them in its own time, without an event.
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  });
  await context.setOffline(true);
  await page.reload();
  await ready(page);
  await write(page, "--!strict\nlocal n: number = 'text'\nprint(n)");
  await page.locator(".cm-lintRange-error").first().waitFor({ timeout: 60_000 });
  await context.close();
});
