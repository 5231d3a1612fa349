// Workers start with the options that can cross into them. They end at once, gracefully, or with an error that says
// what to do.
//
// Tier: default.
// Engines: all.

import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "../eventually.mjs";
import { ask } from "../server/browser.mjs";
import { inPage, pageOfWorkers } from "./in-page.mjs";

const context = pageOfWorkers();

test("a script that never waits is seen while it runs, and terminate ends it", async () => {
  const result = await inPage(context, async ({ LuauWorker, failure, eventually, sleep }) => {
    /** @type {string[]} */
    const lines = [];
    const luau = await LuauWorker.create({ print: (text) => lines.push(text) });
    const run = failure(
      luau.run(
        "print('first') print('second') local n = 0 while true do n += 1 if n % 1e5 == 0 then print(n) end end",
      ),
    );
    const stats = failure(luau.stats);
    await eventually(() => lines.length > 2);
    const seen = lines.slice(0, 2);
    luau.terminate();
    const pending = [await run, await stats];
    const later = [await failure(luau.run("")), await failure(luau.idle())];
    const after = lines.length;
    // No more lines may arrive, and no event would show that.
    await sleep(50);
    luau.terminate();
    luau.dispose();
    return { seen, pending, later, isQuiet: lines.length === after };
  });
  assert.deepEqual(result.seen, ["first", "second"]);
  for (const error of result.pending) {
    assert.deepEqual([error.isLuauError, error.kind], [true, "cancelled"]);
    assert.match(error.message, /terminated/);
  }
  assert.deepEqual(
    result.later.map(({ kind }) => kind),
    ["disposed", "disposed"],
  );
  assert.equal(result.isQuiet, true);
});

test("dispose rejects what is pending, closes sockets with a word, and may be called again", async () => {
  const result = await inPage(context, async ({ LuauWorker, failure, echo }) => {
    /** @type {string[]} */
    const lines = [];
    const luau = await LuauWorker.create({ print: (text) => lines.push(text) });
    await luau.run(
      `open = websocket.connect("${echo.replace("/echo", "/record?name=disposed")}") open:Send("hello")`,
    );
    const pending = [luau.run("task.wait(10)"), luau.idle()].map(failure);
    luau.dispose();
    luau.dispose();
    luau[Symbol.dispose]?.();
    const errors = [
      ...(await Promise.all(pending)),
      await failure(luau.run("")),
      await failure(luau.get("x")),
      await failure(luau.stats),
    ];
    return errors;
  });
  assert.deepEqual(
    result.map(({ kind, isLuauError }) => [kind, isLuauError]),
    Array.from({ length: 5 }, () => ["disposed", true]),
  );
  /** @type {string[]} */
  let recorded = [];
  await eventually(async () => {
    recorded = await ask(context, "recorded?name=disposed");
    return recorded.length > 1;
  });
  assert.equal(recorded[0], "hello");
  assert.match(recorded[1] ?? "", /^closed 1005/);
});

test("dispose ends a worker that never waits, a little later", async () => {
  const result = await inPage(context, async ({ LuauWorker, failure }) => {
    const worker = new Worker("/pkg/worker-thread.js", { type: "module" });
    const luau = await LuauWorker.create({ worker: () => worker });
    const run = failure(luau.run("while true do end"));
    const terminate = worker.terminate.bind(worker);
    const terminated = new Promise((resolve) => {
      worker.terminate = () => {
        resolve(undefined);
        terminate();
      };
    });
    luau.dispose();
    const error = await run;
    await terminated;
    return error;
  });
  assert.equal(result.kind, "disposed");
});

test("what cannot cross is an error that names the option", async () => {
  const messages = await inPage(context, async ({ LuauWorker, failure }) => {
    const create = (/** @type {any} */ options) => failure(LuauWorker.create(options));
    return Promise.all([
      create({ wasm: new Response() }),
      create({ wasm: Promise.resolve(new Response()) }),
      create({ websocket: { WebSocket } }),
      create({ print: "text" }),
      create({ websocket: { allow: true } }),
      create({ modules: { one: 1 } }),
      create({ globals: new (class {})() }),
      create({ globals: { big: 2n ** 70n } }),
      create({ memroyLimit: 1 }),
      create({ timeSlice: -1 }),
      create({ wasm: "/tests/worker/missing.wasm" }),
    ]);
  });
  const expected = [
    [/option wasm/, "TypeError"],
    [/option wasm/, "TypeError"],
    [/option websocket\.WebSocket/, "TypeError"],
    [/option print/, "TypeError"],
    [/option websocket\.allow/, "TypeError"],
    [/option modules/, "TypeError"],
    [/option globals/, "TypeError"],
    [/big/, "LuauError"],
    [/memroyLimit/, "TypeError"],
    [/timeSlice/, "TypeError"],
    [/missing\.wasm: the server answered 404/, "Error"],
  ];
  messages.forEach(({ message, name }, index) => {
    const [pattern, type] = /** @type {[RegExp, string]} */ (expected[index]);
    assert.match(message, pattern);
    assert.equal(name, type, message);
  });
});

test("the module as a relative address, as bytes and compiled; and how far it has come", async () => {
  const results = await inPage(context, async ({ LuauWorker }) => {
    const bytes = await (await fetch("/pkg/luau.wasm")).arrayBuffer();
    const padded = new Uint8Array(bytes.byteLength + 8);
    padded.set(new Uint8Array(bytes), 8);
    /** @type {number[]} */
    const progress = [];
    const results = [];
    for (const wasm of [
      "../../pkg/luau.wasm",
      new URL("/pkg/luau.wasm", location.href),
      bytes,
      padded.subarray(8),
      await WebAssembly.compile(bytes),
    ]) {
      const luau = await LuauWorker.create({ wasm, onProgress: (loaded) => progress.push(loaded) });
      results.push((await luau.run("return 1"))[0]);
      luau.dispose();
    }
    return { results, isWhole: progress.includes(bytes.byteLength), left: bytes.byteLength > 0 };
  });
  assert.deepEqual(results, { results: [1, 1, 1, 1, 1], isWhole: true, left: true });
});

test("a worker that cannot start, or fails later, is an error that says so", async () => {
  const result = await inPage(context, async ({ LuauWorker, failure }) => {
    const create = (/** @type {() => Worker} */ worker) => failure(LuauWorker.create({ worker }));
    const script = (/** @type {string} */ text) =>
      URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
    const missing = await create(() => new Worker("/pkg/no-such-file.js", { type: "module" }));
    const broken = await create(
      () => new Worker(script("throw new Error('from the script')"), { type: "module" }),
    );
    const html = await create(() => new Worker("/tests/worker/page.html", { type: "module" }));
    const url = new URL("/pkg/worker-thread.js", location.href).href;
    const text = `import ${JSON.stringify(url)};
      new BroadcastChannel("fail late").onmessage = () => { throw new Error("late"); };`;
    const luau = await LuauWorker.create({ worker: () => new Worker(script(text), { type: "module" }) });
    const run = failure(luau.run("task.wait(60)"));
    new BroadcastChannel("fail late").postMessage("now");
    const pending = await run;
    const later = await failure(luau.run(""));
    return { missing, broken, html, pending, later };
  });
  assert.match(result.missing.message, /could not be started.*worker-thread\.js/);
  assert.match(result.broken.message, /could not be started.*from the script/);
  assert.match(result.html.message, /could not be started/);
  for (const error of [result.pending, result.later]) {
    assert.equal(error.kind, "terminated");
    assert.match(error.message, /late.*Create a new one/);
  }
});

test("a fault inside the VM is an error of kind terminated, and the next worker is a fresh one", async () => {
  const result = await inPage(context, async ({ LuauWorker, failure }) => {
    const url = new URL("/pkg/worker-thread.js", location.href).href;
    // Overwrites the memory of the instance, so that the next call into it traps.
    const text = `const { instantiate } = WebAssembly;
      WebAssembly.instantiate = async (...args) => {
        const instance = await instantiate(...args);
        const channel = new BroadcastChannel("ruin");
        channel.onmessage = ({ data }) => {
          if (data === "now") {
            new Uint8Array(instance.exports.memory.buffer).fill(0xa5);
            channel.postMessage("done");
          }
        };
        return instance;
      };
      await import(${JSON.stringify(url)});`;
    const script = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
    const luau = await LuauWorker.create({ worker: () => new Worker(script, { type: "module" }) });
    const pending = failure(luau.run("task.wait(60)"));
    const channel = new BroadcastChannel("ruin");
    const isRuined = new Promise((resolve) => {
      channel.onmessage = resolve;
    });
    channel.postMessage("now");
    await isRuined;
    const errors = [await failure(luau.run("return 1")), await pending, await failure(luau.check("return"))];
    luau.dispose();
    const next = await LuauWorker.create();
    const value = await next.run("return 'fresh'");
    next.dispose();
    return { errors, value };
  });
  for (const { kind, isLuauError, message } of result.errors) {
    assert.deepEqual([kind, isLuauError], ["terminated", true], message);
  }
  assert.deepEqual(result.value, ["fresh"]);
});

test("a policy of the page that forbids workers is an error that says so", async () => {
  const page = await context.browser.newPage();
  await page.goto(context.page.url());
  const message = await page.evaluate(async () => {
    const meta = document.createElement("meta");
    meta.httpEquiv = "Content-Security-Policy";
    meta.content = "worker-src 'none'";
    document.head.append(meta);
    // @ts-expect-error: the path exists only on the server of the tests, so TypeScript cannot resolve it.
    const { LuauWorker } = await import("/pkg/worker.js");
    return LuauWorker.create().then(String, (/** @type {Error} */ error) => error.message);
  });
  await page.close();
  assert.match(message, /could not be started.*Content Security Policy/);
});

test("nothing else made the browser complain", () => {
  const expected = /404|MIME type/;
  const others = context.complaints.filter((text) => !expected.test(text));
  assert.deepEqual(others, []);
});
