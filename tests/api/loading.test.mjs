// The WebAssembly module is loaded from the source that the host chooses, once, with progress. Errors say what to do.
//
// Tier: default.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Luau as Browser } from "../../pkg/index.js";
import { Luau as Inline } from "../../pkg/inline.js";
import { Luau } from "../../pkg/node.js";

const file = new URL("../../pkg/luau.wasm", import.meta.url);
const bytes = readFileSync(file);

/** @type {import("node:http").Server} */
let server;
/** @type {string} */
let address;
/** The number of requests for each path. */
const asked = new Map();

before(async () => {
  server = createServer((request, response) => {
    const path = String(request.url);
    asked.set(path, (asked.get(path) ?? 0) + 1);
    if (path.startsWith("/luau.wasm")) {
      response
        .writeHead(200, { "Content-Type": "application/wasm", "Content-Length": bytes.length })
        .end(bytes);
    } else if (path === "/octets") {
      response.writeHead(200, { "Content-Type": "application/octet-stream" }).end(bytes);
    } else if (path === "/page") {
      response.writeHead(200, { "Content-Type": "text/html; charset=utf-8" }).end("<!doctype html>");
    } else if (path === "/broken") {
      response.writeHead(500).end();
    } else if (path === "/later" && asked.get(path) > 1) {
      response.writeHead(200, { "Content-Type": "application/wasm" }).end(bytes);
    } else {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  address = `http://127.0.0.1:${/** @type {any} */ (server.address()).port}`;
});
after(() => server.close());

/**
 * Asserts that a created VM works.
 *
 * @param {Promise<Luau>} created
 */
async function works(created) {
  const luau = await created;
  assert.deepEqual(await luau.run("return 1 + 1"), [2]);
  luau.dispose();
}

test("from every source that the types name, in every entry", async () => {
  const module = await WebAssembly.compile(bytes);
  for (const Entry of [Luau, Browser, Inline]) {
    await works(Entry.create({ wasm: module }));
    await works(Entry.create({ wasm: bytes }));
    await works(Entry.create({ wasm: Uint8Array.from(bytes).buffer }));
    await works(Entry.create({ wasm: `${address}/luau.wasm` }));
    await works(Entry.create({ wasm: new URL(`${address}/luau.wasm`) }));
    await works(Entry.create({ wasm: await fetch(`${address}/luau.wasm`) }));
    await works(Entry.create({ wasm: fetch(`${address}/octets`) }));
  }
  await works(Luau.create());
  await works(Inline.create());
  await works(Luau.create({ wasm: file }));
  await works(Luau.create({ wasm: fileURLToPath(file) }));
});

test("a URL is loaded once, also by those who ask at the same time", async () => {
  const wasm = `${address}/luau.wasm?once`;
  await Promise.all([1, 2, 3].map(() => works(Luau.create({ wasm }))));
  await works(Luau.create({ wasm: new URL(wasm) }));
  assert.equal(asked.get("/luau.wasm?once"), 1);
});

test("progress is told, and ends at the whole", async () => {
  /** @type {[number, number | undefined][]} */
  const told = [];
  await works(
    Luau.create({
      wasm: `${address}/luau.wasm?progress`,
      onProgress: (loaded, total) => told.push([loaded, total]),
    }),
  );
  assert(told.length > 1);
  assert.deepEqual(told.at(-1), [bytes.length, bytes.length]);
  assert(told.every(([loaded], index) => index === 0 || loaded >= (told[index - 1]?.[0] ?? 0)));
  await works(
    Luau.create({
      wasm: bytes,
      onProgress: (...args) => assert.deepEqual(args, [bytes.length, bytes.length]),
    }),
  );
});

test("what cannot be loaded says why, and is tried again the next time", async () => {
  await assert.rejects(
    Luau.create({ wasm: `${address}/nothing` }),
    /cannot load http.*\/nothing: the server answered 404 Not Found\. Is luau\.wasm among.*optimizeDeps\.exclude.*option wasm/,
  );
  await assert.rejects(Luau.create({ wasm: `${address}/broken` }), {
    message: /the server answered 500 Internal Server Error$/,
  });
  await assert.rejects(
    Luau.create({ wasm: `${address}/page` }),
    /an HTML page instead of WebAssembly.*option wasm/,
  );
  await assert.rejects(
    Luau.create({ wasm: new Uint8Array([0, 97, 115, 109]) }),
    /not a WebAssembly module that can run here/,
  );
  await assert.rejects(Luau.create({ wasm: "http://127.0.0.1:9/x.wasm" }), /cannot load http/);
  await assert.rejects(
    Luau.create({ wasm: "/no/such/file.wasm" }),
    /cannot load \/no\/such\/file.wasm: ENOENT/,
  );
  await assert.rejects(Luau.create({ wasm: `${address}/later` }), /404/);
  await works(Luau.create({ wasm: `${address}/later` }));
});

test("a policy that forbids WebAssembly is named, and an old browser is not blamed", async (t) => {
  // The messages of Chromium, Firefox and WebKit.
  for (const text of [
    "WebAssembly.compile(): Compiling or instantiating WebAssembly module violates the following Content Security policy directive " +
      "because neither 'wasm-eval' nor 'unsafe-eval' is an allowed source of script",
    "call to WebAssembly.compile() blocked by CSP",
    "Refused to create a WebAssembly object because 'unsafe-eval' or 'wasm-unsafe-eval' is not an allowed source of script in the " +
      "following Content Security Policy directive",
  ]) {
    const mock = t.mock.method(WebAssembly, "compile", async () => {
      throw new WebAssembly.CompileError(text);
    });
    await assert.rejects(Luau.create({ wasm: bytes }), (error) => {
      assert(error instanceof Error);
      assert.match(
        error.message,
        /Content Security Policy does not allow it\. Add 'wasm-unsafe-eval' to its script-src/,
      );
      assert.doesNotMatch(error.message, /Chrome 95/);
      return true;
    });
    mock.mock.restore();
  }
});

test("what is no source at all is not taken for one", async () => {
  for (const [wasm, what] of /** @type {[any, RegExp][]} */ ([
    [5, /a number/],
    [{}, /an object/],
    [new Blob([bytes]), /of the type Blob/],
    [new Request(address), /of the type Request/],
    [Promise.resolve(true), /a boolean/],
  ])) {
    await assert.rejects(Luau.create({ wasm }), (error) => {
      assert(error instanceof TypeError, String(error));
      assert.match(error.message, /^option wasm: not a URL/);
      assert.match(error.message, what);
      return true;
    });
  }
  await works(Luau.create({ wasm: /** @type {any} */ (WebAssembly.compile(bytes)) }));
  const read = await fetch(`${address}/luau.wasm`);
  await read.arrayBuffer();
  await assert.rejects(Luau.create({ wasm: read }), /cannot load http.*: its body was already read/);
  await assert.rejects(Luau.create({ wasm: "C:\\no\\luau.wasm" }), /cannot load C:\\no\\luau.wasm: ENOENT/);
});

test("progress that cannot be told is no reason not to load", async (t) => {
  const complaints = t.mock.method(console, "error", () => {});
  const onProgress = () => {
    throw new Error("no such element");
  };
  await works(Luau.create({ wasm: `${address}/luau.wasm?untold`, onProgress }));
  await works(Luau.create({ wasm: bytes, onProgress }));
  assert(complaints.mock.callCount() >= 2);
  assert.match(String(complaints.mock.calls[0]?.arguments[0]), /no such element/);
});

test("a wrong option is an error that names it", async () => {
  /** @type {[object, RegExp][]} */
  const rows = [
    [{ prnt: console.log }, /unknown option prnt; the options are: wasm/],
    [{ websocket: { headers: {} } }, /unknown option websocket\.headers; the options are: WebSocket, allow/],
    [{ memoryLimit: "1 MB" }, /memoryLimit/],
    [{ timeLimit: -1 }, /timeLimit/],
    [{ sandbox: "no" }, /sandbox/],
    [{ print: "stdout" }, /print/],
    [{ globals: new Date() }, /globals/],
    [{ modules: { a: 1 } }, /source of "a"/],
    [{ modules: { a: "", "./a.luau": "" } }, /two modules are called "a"/],
    [{ websocket: { maxConnections: 0 } }, /maxConnections/],
    [{ websocket: 5 }, /option websocket: not a plain object, but a number/],
    [{ websocket: null }, /option websocket: .* null/],
    [{ websocket: class {} }, /option websocket: .* a function/],
    [{ modules: new Map([["a", "return 1"]]) }, /option modules: .* of the type Map/],
    [{ modules: "return 1" }, /option modules: neither a function nor a plain object, but a string/],
    [{ modules: 5 }, /option modules/],
    [{ modules: ["return 1"] }, /option modules: .* of the type Array/],
    [{ modules: { a: "", "a/init.luau": "" } }, /"a" and "a\/init" are the same module/],
    [/** @type {any} */ (null), /the options: not an object, but null/],
    [/** @type {any} */ ("x"), /the options: not an object, but a string/],
  ];
  for (const [options, message] of rows) {
    await assert.rejects(Luau.create(options), (error) => {
      assert(error instanceof TypeError, String(error));
      assert.match(error.message, message);
      return true;
    });
  }
  await assert.rejects(Luau.create({ globals: { a: 2n ** 80n } }), /global 'a' cannot be a Luau value/);
  assert.throws(() => new Luau(undefined, /** @type {any} */ (undefined), {}), /Luau\.create/);
});
