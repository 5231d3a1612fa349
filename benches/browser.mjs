// The browser of the benchmarks, driven without an inspector in its pages. If an inspector listens, as Playwright's does, V8 records the
// stack at each error that WebAssembly throws in a task of the event loop. Then errors take fifteen times as long as for a visitor.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import WebSocket from "ws";
import { CHROMIUM_ARGS } from "../tests/server/browser.mjs";

/**
 * A page of the browser, with a part of the interface of Playwright's pages.
 *
 * @typedef {object} Page
 * @property {(url: string) => Promise<void>} goto
 * @property {() => string} url
 * @property {<Result, Given = undefined>(code: (given: Given) => Result, given?: Given) => Promise<Awaited<Result>>} evaluate
 * takes and returns JSON values
 * @property {() => Promise<void>} close
 *
 * @typedef {{ version: string, newPage: () => Promise<Page>, close: () => Promise<void> }} Browser
 */

/**
 * Starts Chromium, whose path is in the environment.
 *
 * @returns {Promise<Browser>}
 */
export async function launch() {
  const { CHROMIUM } = process.env;
  if (CHROMIUM === undefined) {
    throw new Error("the environment names no browser: run this with `cargo xtask`, which does it");
  }
  const profile = await mkdtemp(join(tmpdir(), "luau-websocket-bench-"));
  const args = ["--headless", "--remote-debugging-port=0", `--user-data-dir=${profile}`, ...CHROMIUM_ARGS];
  const child = spawn(CHROMIUM, args, { stdio: ["ignore", "ignore", "pipe"] });
  const ended = once(child, "exit");
  const protocol = await connect(await address(child.stderr));
  const { product } = await protocol.send("Browser.getVersion", {});

  return {
    version: product.replace(/^.*\//, ""),
    async newPage() {
      const { targetId } = await protocol.send("Target.createTarget", { url: "about:blank" });
      const { sessionId } = await protocol.send("Target.attachToTarget", { targetId, flatten: true });
      return pageOf(
        (method, params) => protocol.send(method, params, sessionId),
        () => protocol.send("Target.closeTarget", { targetId }),
      );
    },
    async close() {
      protocol.end();
      child.kill();
      await ended;
      await rm(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}

/** Waits for the address of its protocol. */
async function address(/** @type {import("node:stream").Readable} */ output) {
  const said = [];
  for await (const line of createInterface(output)) {
    const found = /^DevTools listening on (ws:\S+)/.exec(line)?.[1];
    if (found !== undefined) {
      output.resume();
      return found;
    }
    said.push(line);
  }
  throw new Error(`the browser does not start:\n${said.join("\n")}`);
}

/** @typedef {(method: string, params: object, sessionId?: string) => Promise<any>} Send */

/**
 * The DevTools protocol (https://chromedevtools.github.io/devtools-protocol/), without events.
 *
 * @param {string} url
 */
async function connect(url) {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  await once(socket, "open");
  /** @type {Map<number, { resolve: (value: any) => void, reject: (error: Error) => void }>} */
  const asked = new Map();
  let last = 0;
  socket.on("message", (data) => {
    const { id, result, error } = JSON.parse(String(data));
    const { resolve, reject } = asked.get(id) ?? {};
    asked.delete(id);
    error === undefined ? resolve?.(result) : reject?.(new Error(error.message));
  });
  socket.on("close", () => {
    for (const { reject } of asked.values()) {
      reject(new Error("the browser ended"));
    }
  });
  /** @type {Send} */
  const send = (method, params, sessionId) =>
    new Promise((resolve, reject) => {
      last += 1;
      asked.set(last, { resolve, reject });
      socket.send(JSON.stringify({ id: last, method, params, sessionId }));
    });
  return { send, end: () => socket.close() };
}

/**
 * @param {Send} send to this page
 * @param {() => Promise<void>} close
 * @returns {Page}
 */
function pageOf(send, close) {
  let address = "about:blank";
  const run = async (/** @type {string} */ expression) => {
    const options = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = await send("Runtime.evaluate", options);
    if (exceptionDetails !== undefined) {
      const { text, exception } = exceptionDetails;
      throw new Error(exception?.description ?? exception?.value ?? text);
    }
    return result.value;
  };
  return {
    async goto(url) {
      const { errorText } = await send("Page.navigate", { url });
      if (errorText !== undefined) {
        throw new Error(`${url}: ${errorText}`);
      }
      address = url;
      await run(
        "document.readyState === 'complete' || new Promise((resolve) => addEventListener('load', () => resolve(true)))",
      );
    },
    url: () => address,
    evaluate: (code, given) => run(`(${code})(${given === undefined ? "" : JSON.stringify(given)})`),
    close,
  };
}
