// Loopback sockets behave exactly like the browser's. Each case does the same with both, against the same services, and
// compares the events and their order.
//
// Tier: default.

import assert from "node:assert/strict";
import { test } from "node:test";
import { build } from "esbuild";
import { pageForTests, root } from "../server/browser.mjs";

const context = pageForTests("/tests/worker/page.html", async ({ page }) => {
  const { outputFiles } = await build({
    entryPoints: [`${root}/www/src/worker/loopback.ts`],
    bundle: true,
    format: "iife",
    globalName: "loopback",
    write: false,
  });
  await page.addScriptTag({ content: outputFiles[0]?.text ?? "" });
  await page.evaluate(() => {
    const { PlaygroundSocket } = /** @type {any} */ (globalThis).loopback;
    Object.assign(globalThis, {
      /** @param {string} address @param {string[]} [protocols] @returns {WebSocket} */
      open: (address, protocols) => new PlaygroundSocket(address, protocols),
      /**
       * Records the events of a socket.
       *
       * @param {WebSocket} socket
       */
      watch: (socket) => {
        /** @type {unknown[]} */
        const log = [];
        const note = (/** @type {Event} */ event, /** @type {unknown[]} */ ...details) =>
          log.push([event.type, socket.readyState, ...details].join(" "));
        socket.addEventListener("open", (event) => note(event));
        socket.addEventListener("error", (event) => note(event));
        socket.addEventListener("close", (event) => note(event, event.code, event.reason, event.wasClean));
        socket.addEventListener("message", (event) => {
          const { data } = event;
          note(
            event,
            typeof data === "string" ? data : `${data.constructor.name} ${data.byteLength ?? data.size}`,
          );
        });
        return log;
      },
      /** @param {WebSocket} socket @param {string} type */
      next: (socket, type) =>
        new Promise((resolve) => socket.addEventListener(type, resolve, { once: true })),
      /** Returns the error that a call throws. @param {() => void} call */
      thrown: (call) => {
        try {
          call();
          return "nothing";
        } catch (error) {
          return /** @type {Error} */ (error).name;
        }
      },
    });
  });
});

/** The type of `open` above. @typedef {(address: string, protocols?: string[]) => WebSocket} Open */

/**
 * The cases. Each runs in the page.
 *
 * @type {Record<string, (base: string, tools: {
 *   open: Open,
 *   watch: (socket: WebSocket) => unknown[],
 *   next: (socket: WebSocket, type: string) => Promise<Event>,
 *   thrown: (call: () => void) => string,
 * }) => Promise<unknown[]>>}
 */
const cases = {
  "a whole life, with every call that is refused": async (base, { open, watch, next, thrown }) => {
    const socket = open(`${base}/echo`);
    const log = watch(socket);
    log.push(socket.readyState, socket.binaryType, socket.protocol, socket.extensions, socket.onopen);
    log.push(thrown(() => socket.send("early")));
    await next(socket, "open");
    socket.send("a lone surrogate: \ud800");
    socket.send(Uint8Array.of(1, 2, 3));
    log.push(socket.bufferedAmount);
    await next(socket, "message");
    await next(socket, "message");
    socket.binaryType = "arraybuffer";
    socket.send(new DataView(new ArrayBuffer(2)));
    socket.send("");
    await next(socket, "message");
    await next(socket, "message");
    for (const code of [999, 1001, 2999, 5000]) {
      log.push(thrown(() => socket.close(code)));
    }
    log.push(thrown(() => socket.close(1000, "é".repeat(62))));
    socket.close(3999, "é".repeat(61));
    log.push(socket.readyState);
    socket.send("12345");
    log.push(socket.bufferedAmount);
    socket.close();
    await next(socket, "close");
    socket.close();
    socket.send("late");
    return log;
  },

  "closed without a code": async (base, { open, watch, next }) => {
    const socket = open(`${base}/echo`);
    const log = watch(socket);
    socket.onopen = () => socket.close();
    await next(socket, "close");
    return log;
  },

  "closed before it is open": async (base, { open, watch, next }) => {
    const socket = open(`${base}/echo`);
    const log = watch(socket);
    socket.close();
    log.push(socket.readyState);
    await next(socket, "close");
    return log;
  },

  "a path that does not exist": async (base, { open, watch, next }) => {
    const socket = open(`${base}/nothing`);
    const log = watch(socket);
    await next(socket, "close");
    return log;
  },

  "a subprotocol that the server does not know": async (base, { open, watch, next }) => {
    const socket = open(`${base}/echo`, ["spoken"]);
    const log = watch(socket);
    await next(socket, "close");
    return log;
  },

  "addresses and subprotocols that the constructor refuses": async (base, { open, thrown }) => [
    thrown(() => open(`${base}/echo#`)),
    thrown(() => open(`${base}/echo#part`)),
    thrown(() => open(`${base}/echo`, ["a", "a"])),
    thrown(() => open(`${base}/echo`, ["a b"])),
    thrown(() => open(`${base}/echo`, [""])),
  ],

  "the order of handlers and listeners": async (base, { open, next }) => {
    const socket = open(`${base}/echo`);
    /** @type {unknown[]} */
    const log = [];
    socket.onmessage = () => log.push("replaced");
    socket.addEventListener("message", () => log.push("listener"));
    socket.onmessage = function (event) {
      log.push("handler", this === socket, event.target === socket, event.origin === base);
    };
    await next(socket, "open");
    socket.send("one");
    await next(socket, "message");
    socket.onmessage = null;
    log.push(socket.onmessage);
    socket.onmessage = () => log.push("handler, set again");
    socket.send("two");
    await next(socket, "message");
    socket.close();
    await next(socket, "close");
    return log;
  },

  "closed by the service": async (base, { open, watch, next }) => {
    const socket = open(`${base}/binary`);
    const log = watch(socket);
    socket.onopen = () => socket.send("text");
    await next(socket, "close");
    return log;
  },
};

for (const [name, play] of Object.entries(cases)) {
  test(name, async () => {
    const [real, loopback] = [`ws://127.0.0.1:${context.port}`, "ws://loopback"].map((base) =>
      context.page.evaluate(`(${play})(${JSON.stringify(base)}, globalThis)`),
    );
    assert.deepEqual(await loopback, await real);
  });
}
