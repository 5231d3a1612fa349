// The state of a connection matches its socket, and its close is reported when it is over, no matter how closely the
// class of the socket follows the standard.
//
// Tier: default.

import assert from "node:assert/strict";
import { test } from "node:test";
import WebSocket from "ws";
import { Luau } from "../../pkg/node.js";
import { serverForTests } from "../server/for-tests.mjs";

const server = serverForTests();

/**
 * Runs a script whose sockets are instances of a class.
 *
 * @param {string} source
 * @param {import("../../pkg/node.js").WebSocketConstructor} [Class]
 */
async function run(source, Class = WebSocket) {
  /** @type {string[]} */
  const events = [];
  const luau = await Luau.create({
    globals: { base: server.base },
    websocket: { WebSocket: Class },
    onSocket: ({ type, code }) => events.push(code === undefined ? type : `${type} ${code}`),
  });
  try {
    return { results: await luau.run(source), events, stats: luau.stats };
  } finally {
    luau.dispose();
  }
}

test("it is Closing from the server's close frame on, and Send sends nothing", async () => {
  const { results, events } = await run(`
    local c = assert(websocket.connect(base .. "/close-frame?seconds=0&hold"))
    while c.State == "Open" do task.wait() end
    local seen = { c.State, c.CloseCode or "none" }
    c:Send("lost")
    c:Close(3000)
    return seen`);
  assert.deepEqual(results, [["Closing", "none"]]);
  assert(!events.includes("send"), events.join());
});

test("a protocol error closes the connection at once, with the reason that the host knows", async () => {
  const began = performance.now();
  const { results, events, stats } = await run(`
    local c = assert(websocket.connect(base .. "/protocol-error?seconds=0"))
    local code, reason, wasClean = c.OnClose:Wait()
    return code, reason, wasClean, c.State, c.CloseReason`);
  const reason = "Invalid WebSocket frame: RSV2 and RSV3 must be clear";
  assert.deepEqual(results, [1006, reason, false, "Closed", reason]);
  assert.deepEqual(events, ["connecting", "open", "close 1006"]);
  assert.equal(stats.sockets, 0);
  // The npm package ws waits 30 s for the server.
  assert(performance.now() - began < 15_000);
});

test("no message comes after Close", async () => {
  const { results } = await run(`
    local c = assert(websocket.connect(base .. "/burst?count=10"))
    local handled = 0
    c.OnMessage:Connect(function()
      handled += 1
      if handled == 3 then c:Close() end
    end)
    local code = c.OnClose:Wait()
    return handled, code, c.Dropped`);
  assert.deepEqual(results, [3, 1000, 0]);
});

/** A socket class that only does what a test tells it to. */
class Silent extends EventTarget {
  /** @type {unknown} */
  onopen = null;
  /** @type {unknown} */
  onmessage = null;
  /** @type {unknown} */
  onclose = null;
  /** @type {unknown} */
  onerror = null;
  url = "ws://silent/";
  protocol = "";
  bufferedAmount = 0;
  readyState = 0;
  /** @type {string[]} */
  sent = [];

  constructor() {
    super();
    setTimeout(() => this.act(), 0);
  }

  act() {
    this.readyState = 1;
    this.tell("open");
  }

  /**
   * @param {string} type
   * @param {object} [members]
   */
  tell(type, members = {}) {
    const event = Object.assign(new Event(type), members);
    const handler = /** @type {any} */ (this)[`on${type}`];
    handler?.call(this, event);
    this.dispatchEvent(event);
  }

  /** @param {string} data */
  send(data) {
    this.sent.push(data);
  }

  close() {}
}

test("a socket that fails and tells of no close is closed, before and after it opened", async () => {
  class Broken extends Silent {
    act() {
      super.act();
      setTimeout(() => this.tell("error", { message: "cable pulled" }), 0);
    }
  }
  const opened = await run(`local c = websocket.connect("ws://silent/") return c.OnClose:Wait()`, Broken);
  assert.deepEqual(opened.results, [1006, "cable pulled", false]);
  assert.deepEqual(opened.events, ["connecting", "open", "close 1006"]);
  class Refused extends Silent {
    act() {
      this.tell("error", { message: "no route" });
    }
  }
  const refused = await run(`return websocket.connect("ws://silent/")`, Refused);
  assert.deepEqual(refused.results, [undefined, "could not connect to ws://silent/: no route"]);
  assert.deepEqual(refused.events, ["connecting", "close 1006"]);
});

test("an EventEmitter that fails and tells of no close is closed too", async () => {
  /** Like old versions of ws: listeners get the event's members, and there is no dispatchEvent. */
  class Emitter {
    /** @type {Map<string, Function[]>} */
    listeners = new Map();
    /** @type {Function | undefined} */
    onclose;
    /** @type {Function | undefined} */
    onopen;
    url = "ws://emitter/";
    readyState = 0;
    isTerminated = false;

    constructor() {
      const event = { message: "", error: Object.assign(new Error(""), { code: "ECONNREFUSED" }) };
      setTimeout(() => {
        for (const listener of this.listeners.get("error") ?? []) {
          listener(event);
        }
      }, 0);
    }

    /**
     * @param {string} type
     * @param {Function} listener
     */
    addEventListener(type, listener) {
      this.listeners.set(type, [...(this.listeners.get(type) ?? []), listener]);
    }

    close() {}
  }
  const { results, events, stats } = await run(`return websocket.connect("ws://emitter/")`, Emitter);
  assert.deepEqual(results, [undefined, "could not connect to ws://emitter/: ECONNREFUSED"]);
  assert.deepEqual(events, ["connecting", "close 1006"]);
  assert.equal(stats.sockets, 0);
});

test("a socket without readyState, or with one that throws, is as far as its events say", async () => {
  class Bare extends Silent {
    constructor() {
      super();
      Object.defineProperty(this, "readyState", {
        get() {
          throw new Error("no state");
        },
        set() {},
      });
    }

    /** @param {string} data */
    send(data) {
      this.tell("message", { data });
    }
  }
  const { results } = await run(
    `local c = websocket.connect("ws://silent/") c:Send("x") return c.State, (c:Receive())`,
    /** @type {any} */ (Bare),
  );
  assert.deepEqual(results, ["Open", "x"]);
});
