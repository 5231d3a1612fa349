// A script learns why it could not connect, as far as the host knows.
//
// Tier: default.

import assert from "node:assert/strict";
import { test } from "node:test";
import WebSocket from "ws";
import { Luau } from "../../pkg/node.js";
import { serverForTests } from "../server/for-tests.mjs";

const server = serverForTests();

/**
 * Returns the reason why a script cannot connect.
 *
 * @param {string} url
 * @param {import("../../pkg/node.js").WebSocketOptions} [websocket]
 */
async function reasonFor(url, websocket) {
  const luau = await Luau.create({ websocket: { WebSocket, ...websocket } });
  const [connection, reason, ...more] = await luau.run("return websocket.connect(...)", { args: [url] });
  luau.dispose();
  assert.deepEqual([connection, more], [undefined, []]);
  return String(reason);
}

test("the answer of the server, and what the network says", async () => {
  assert.equal(
    await reasonFor(`${server.base}/unauthorized`),
    `could not connect to ${server.base}/unauthorized: Unexpected server response: 401`,
  );
  const { closed } = await (await fetch(`http://${server.host}/server/ports`)).json();
  assert.equal(
    await reasonFor(`ws://${closed}/`),
    `could not connect to ws://${closed}/: connect ECONNREFUSED ${closed}`,
  );
});

test("where the host gives no reason, the script is told so", async () => {
  /** Like browsers: an event without a text. */
  class Quiet extends EventTarget {
    url = "ws://quiet/";
    constructor() {
      super();
      setTimeout(() => {
        this.dispatchEvent(new Event("error"));
        this.dispatchEvent(Object.assign(new Event("close"), { code: 1006, reason: "", wasClean: false }));
      }, 0);
    }
    /** @param {(event: Event) => void} handler */
    set onclose(handler) {
      this.addEventListener("close", (event) => handler(event));
    }
    close() {}
  }
  assert.equal(
    await reasonFor("ws://quiet/", { WebSocket: Quiet }),
    "could not connect to ws://quiet/ (the browser gives no reason)",
  );
});

test("a reason in the close event will do", async () => {
  /** Like Bun's sockets, whose close event has the text. */
  class Telling extends EventTarget {
    url = "ws://telling/";
    constructor() {
      super();
      setTimeout(() => {
        this.dispatchEvent(
          Object.assign(new Event("close"), {
            code: 1002,
            reason: "Expected 101 status code",
            wasClean: false,
          }),
        );
      }, 0);
    }
    /** @param {(event: Event) => void} handler */
    set onclose(handler) {
      this.addEventListener("close", (event) => handler(event));
    }
    close() {}
  }
  assert.equal(
    await reasonFor("ws://telling/", { WebSocket: Telling }),
    "could not connect to ws://telling/: Expected 101 status code",
  );
});

test("a long URL is shortened in every reason", async () => {
  const long = `${server.base}/unauthorized?token=${"é".repeat(1_000)}`;
  const reasons = [
    await reasonFor(long),
    await reasonFor(long, { allow: () => false }),
    await reasonFor(`ws://[bad/${"x".repeat(5_000)}`, { allow: () => true }),
    await reasonFor(`ws://[bad/${"x".repeat(5_000)}`),
  ];
  for (const reason of reasons) {
    assert(reason.length < 250, reason);
    assert.match(reason, /…/);
  }
  assert.match(String(reasons[0]), /…: Unexpected server response: 401$/);
});
