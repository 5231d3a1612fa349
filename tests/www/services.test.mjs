// The examples of the playground work as described, with the published package and the services of the local server.
// The services also answer clients that break the rules.
//
// Tier: default.

import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { brotliCompressSync } from "node:zlib";
import WebSocket from "ws";
import { Luau } from "../../pkg/node.js";
import { startServer } from "../server/server.mjs";

const folder = fileURLToPath(new URL("../../www/examples", import.meta.url));

/** @type {Awaited<ReturnType<typeof startServer>>} */
let server;

before(async () => {
  // These tests need their own server, because its services count their visitors.
  server = await startServer();
});
after(() => server.close());

/** @param {string} file @param {number} [port] */
const source = (file, port = server.port) =>
  readFileSync(`${folder}/${file}`, "utf8").replaceAll("127.0.0.1:8080", `127.0.0.1:${port}`);

/**
 * Runs an example until no thread, timer or socket is left, and returns the lines that it prints. Warnings and
 * unhandled errors fail the test.
 *
 * @param {string} file
 * @param {readonly string[]} [modules] files in the example's own folder
 * @param {number} [port] the port of the server
 */
async function runExample(file, modules = [], port = server.port) {
  /** @type {string[]} */
  const lines = [];
  /** @type {string[]} */
  const complaints = [];
  const luau = await Luau.create({
    websocket: { WebSocket },
    modules: Object.fromEntries(modules.map((name) => [name, source(`modules/${name}.luau`)])),
    print: (line) => lines.push(line),
    warn: (line) => complaints.push(line),
    onError: (error) => complaints.push(error.message),
  });
  try {
    await luau.run(source(file, port), { chunkName: "main" });
    await luau.idle();
    assert.deepEqual(complaints, []);
    return lines;
  } finally {
    luau.dispose();
  }
}

/**
 * @param {readonly string[]} lines
 * @param {readonly (string | RegExp)[]} expected
 */
function assertLines(lines, expected) {
  assert.equal(lines.length, expected.length, lines.join("\n"));
  for (const [index, line] of expected.entries()) {
    if (typeof line === "string") {
      assert.equal(lines[index], line);
    } else {
      assert.match(lines[index] ?? "", line);
    }
  }
}

// Concurrent, because the examples mostly wait.
describe("the examples", { concurrency: true }, () => {
  test("echo, for ten seconds", async () => {
    const lines = await runExample("echo.luau");
    assert.deepEqual(lines.slice(0, 2), ["WebSocket connected!", "Received:\tHello from Luau!"]);
    const [closing, ...last] = lines.slice(lines.indexOf("Closing connection..."));
    assert.equal(closing, "Closing connection...");
    assert.equal(last.pop(), "WebSocket disconnected.");
    // A message that was already in transit may still arrive.
    assert(
      last.every((line) => line.startsWith("Received:")),
      last.join("\n"),
    );
  });

  test("chat", async () => {
    assertLines(await runExample("chat.luau"), [
      /^\* you are in "tea \d+" as Ada$/,
      "* Grace came in",
      "* Alan came in",
      "Ada: Good afternoon! Does anyone read this?",
      "Grace: I do. Your message took one hop to the server and two back.",
      "Alan: I wonder whether the server knows what it is talking about.",
      "Grace: It sends the same bytes to everybody. That is all it has to know.",
      "Ada: And a name that is taken?",
      /^Alan: I tried: "the name Ada is already taken in tea \d+".$/,
      "* Alan left",
      "* Grace left",
      "* you left (1000)",
    ]);
  });

  test("heartbeat: a restart, silence, and a restart again", async () => {
    const expected = [
      /connected, session 1 of 3$/,
      /server: welcome, you are number 1$/,
      /closed with 1012 "restarting", after \d heartbeats$/,
      /trying again in 0\.\d\d s$/,
      /connected, session 2 of 3$/,
      /server: welcome, you are number 2$/,
      /no answer for 1\.2 s, after \d heartbeats$/,
      /trying again in 0\.\d\d s$/,
      /connected, session 3 of 3$/,
      /server: welcome, you are number 3$/,
      /closed with 1012 "restarting", after \d heartbeats$/,
      /enough of this server$/,
    ];
    // On a busy machine the server may take longer than 1.2 s to answer, which the script correctly reports. So this
    // tries several times.
    for (let attempts = 5; ; attempts--) {
      const fresh = await startServer();
      const lines = await runExample("heartbeat.luau", [], fresh.port);
      await fresh.close();
      if (attempts === 1 || expected.every((pattern, index) => pattern.test(lines[index] ?? ""))) {
        assertLines(lines, expected);
        return;
      }
    }
  });

  test("binary", async () => {
    const [sent, ...answers] = await runExample("binary.luau");
    assert.equal(sent, "sent 5 requests in 100 bytes");
    assertLines(answers, [
      String.raw`1: "not only text: \x00\xff"`,
      "2: the sum is 31.5",
      '3: "desserts"',
      /^4: the server's clock says \d\d:\d\d:\d\d UTC$/,
      "5: error from the server: unknown tag 77",
    ]);
  });

  test("feed: a table each second, sorted by change", async () => {
    const lines = await runExample("feed.luau");
    const tables = lines.slice(0, -1);
    assert.equal(tables.length, 6);
    for (const table of tables) {
      const rows = table.trimEnd().split("\n").slice(1);
      assert.deepEqual(rows.map((row) => row.trim().split(/\s+/)[0]).sort(), [
        "apples",
        "bananas",
        "cherries",
        "figs",
      ]);
      const changes = rows.map((row) => Number.parseFloat(row.trim().split(/\s+/)[2] ?? ""));
      assert.deepEqual(
        changes,
        [...changes].sort((a, b) => b - a),
      );
    }
    // About forty of the sixty updates are for symbols that the example subscribed to; a busy machine sends fewer.
    const count = Number(lines.at(-1)?.match(/^(\d+) messages in 6 seconds$/)?.[1]);
    assert(count > 6 && count < 65, lines.at(-1));
  });

  test("many connections", async () => {
    const lines = await runExample("many.luau");
    // The time to open all connections depends on the machine.
    assertLines(
      lines.filter((line) => !/^\d+ are open …$/.test(line)),
      [
        /^100 connections are open after \d+\.\d\d s$/,
        /^2000 messages came back in \d+\.\d\d s$/,
        /^half of them within [\d.]+ ms, 95 % within [\d.]+ ms, all within [\d.]+ ms$/,
      ],
    );
  });

  test("modules", async () => {
    assertLines(await runExample("modules/main.luau", ["room", "bot/commands", "bot/dice"]), [
      "Visitor: Is anybody here?",
      "Visitor: !help",
      "Robbie: I know !add, !help, !roll",
      "Visitor: !roll 2d6",
      /^Robbie: \d \+ \d = \d+$/,
      "Visitor: !add 1 2 3.5",
      "Robbie: that makes 6.5",
      "Visitor: !dance",
      "Robbie: I cannot dance",
    ]);
  });

  test("the folder contains exactly these examples", () => {
    assert.deepEqual(readdirSync(folder).sort(), [
      "binary.luau",
      "chat.luau",
      "echo.luau",
      "feed.luau",
      "heartbeat.luau",
      "many.luau",
      "modules",
    ]);
  });
});

/**
 * Connects a client directly, without a script.
 *
 * @param {string} path
 */
function connect(path) {
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}${path}`);
  /** @type {unknown[]} */
  const events = [];
  /** @type {((event: any) => void)[]} */
  const waiting = [];
  /** @param {unknown} event */
  const deliver = (event) => {
    const waiter = waiting.shift();
    if (waiter === undefined) {
      events.push(event);
    } else {
      waiter(event);
    }
  };
  socket.on("message", (data, isBinary) => deliver(isBinary ? data : JSON.parse(String(data))));
  socket.on("close", (code, reason) => deliver({ code, reason: String(reason) }));
  return {
    opened: new Promise((resolve) => socket.once("open", resolve)),
    /** @param {unknown} message */
    send: (message) =>
      socket.send(
        message instanceof Uint8Array || typeof message === "string" ? message : JSON.stringify(message),
      ),
    close: () => socket.close(),
    /** Returns the next event: a message or the close. @returns {Promise<any>} */
    next: () =>
      new Promise((resolve) => (events.length > 0 ? resolve(events.shift()) : waiting.push(resolve))),
  };
}

describe("the services", () => {
  test("the chat reports errors and keeps its rooms apart", async () => {
    const [first, second] = [connect("/chat"), connect("/chat")];
    await Promise.all([first.opened, second.opened]);
    for (const [message, problem] of [
      ["no JSON", /a JSON object/],
      ["[]", /a JSON object/],
      ["null", /a JSON object/],
      [new Uint8Array(3), /a JSON object/],
      [{ type: "shout" }, /a JSON object/],
      [{ type: "join", room: "", name: "x" }, /1 to 32/],
      [{ type: "join", room: "x", name: { toString: 1 } }, /1 to 32/],
      [{ type: "join", room: "x", name: "x".repeat(33) }, /1 to 32/],
      [{ type: "say", text: "x" }, /join a room first/],
    ]) {
      first.send(message);
      assert.match((await first.next()).message, /** @type {RegExp} */ (problem));
    }

    first.send({ type: "join", room: "a", name: "one" });
    second.send({ type: "join", room: "b", name: "one" });
    assert.deepEqual(await first.next(), { type: "joined", room: "a", name: "one", names: ["one"] });
    assert.deepEqual(await second.next(), { type: "joined", room: "b", name: "one", names: ["one"] });
    second.send({ type: "say", text: "nobody hears this" });
    assert.deepEqual(await second.next(), { type: "message", name: "one", text: "nobody hears this" });

    second.send({ type: "join", room: "a", name: "two" });
    assert.deepEqual(await first.next(), { type: "join", name: "two" });
    assert.deepEqual((await second.next()).names, ["one", "two"]);
    first.send({ type: "say", text: "" });
    assert.match((await first.next()).message, /1 to 2000/);
    second.send({ type: "leave" });
    assert.deepEqual(await first.next(), { type: "leave", name: "two" });
    second.send({ type: "say", text: "still there" });
    assert.match((await second.next()).message, /join a room first/);
    first.close();
    second.close();
    assert.equal((await first.next()).code, 1005);
  });

  test("the feed sends updates and rejects unknown symbols", async () => {
    const client = connect("/feed");
    const snapshot = await client.next();
    assert.equal(snapshot.type, "snapshot");
    assert.equal(snapshot.items.length, 6);
    assert.deepEqual(Object.keys(await client.next()), ["type", "symbol", "price", "change"]);
    for (const [message, problem] of [
      ["?", /send \{ "type": "subscribe"/],
      [{ type: "subscribe", symbols: [] }, /send \{ "type": "subscribe"/],
      [{ type: "subscribe", symbols: ["apples", "toString"] }, /unknown symbol: "toString"/],
      [{ type: "subscribe", symbols: [{ toString: 1 }] }, /unknown symbol: \{"toString":1\}/],
    ]) {
      client.send(message);
      let answer = await client.next();
      while (answer.type === "update") {
        answer = await client.next();
      }
      assert.match(answer.message, /** @type {RegExp} */ (problem));
    }
    client.close();
  });

  test("the calculator closes the connection after a malformed record", async () => {
    for (const [message, code] of /** @type {const} */ ([
      ["text", 1003],
      [new Uint8Array(3), 1007],
      [Uint8Array.of(1, 0, 0, 9, 0, 0, 0, 1), 1007],
    ])) {
      const client = connect("/binary");
      await client.opened;
      client.send(message);
      assert.equal((await client.next()).code, code);
    }
    const client = connect("/binary");
    await client.opened;
    client.send(new Uint8Array());
    assert.equal((await client.next()).length, 0);
    client.send(Uint8Array.of(2, 1, 0, 3, 0, 0, 0, 1, 2, 3));
    assert.match(String(await client.next()), /^\xff?.*the payload must consist of 8-byte numbers$/s);
    client.close();
  });

  test("only the playground learns about the server", async () => {
    const [plain, playground] = await Promise.all([
      startServer({ root: `${folder}/../public` }),
      startServer({ root: `${folder}/../public`, playground: true }),
    ]);
    for (const [{ port }, path, answer] of /** @type {const} */ ([
      [plain, "/services.json", { server: false }],
      [playground, "/services.json", { server: true }],
      [playground, "/some/where/services.json", { server: true }],
    ])) {
      const response = await fetch(`http://127.0.0.1:${port}${path}`);
      assert.equal(response.headers.get("content-type"), "application/json");
      assert.deepEqual(await response.json(), answer);
    }
    await Promise.all([plain.close(), playground.close()]);
  });

  test("the server sends the compressed file if there is one and the client accepts it", async () => {
    const root = mkdtempSync(`${tmpdir()}/served-`);
    writeFileSync(`${root}/a.js`, "plain");
    writeFileSync(`${root}/a.js.br`, brotliCompressSync("packed"));
    const packed = await startServer({ root });
    const address = `http://127.0.0.1:${packed.port}/a.js`;
    try {
      for (const [encoding, text] of /** @type {const} */ ([
        ["br", "packed"],
        ["identity", "plain"],
      ])) {
        const response = await fetch(address, { headers: { "accept-encoding": encoding } });
        assert.equal(response.headers.get("content-type"), "text/javascript");
        assert.equal(await response.text(), text);
      }
    } finally {
      await packed.close();
      rmSync(root, { recursive: true });
    }
  });
});
