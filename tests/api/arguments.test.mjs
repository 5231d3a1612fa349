// Wrong arguments cause errors that name them. None of them reaches the VM, let alone ends it.
//
// Tier: default.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Luau } from "../../pkg/node.js";

/** @type {Luau} */
let luau;

before(async () => {
  luau = await Luau.create();
});
after(() => luau.dispose());

const detached = new Uint8Array(8);
structuredClone(detached, { transfer: [detached.buffer] });

const notSources = {
  nothing: undefined,
  null: null,
  "a number": 5,
  "a negative number": -1,
  "a symbol": Symbol("source"),
  "an array": [1, 2],
  "a buffer of other numbers": new Float64Array(2),
  "bytes that were moved away": detached,
  "a proxy": new Proxy(new Uint8Array(2), {}),
};

for (const [name, source] of Object.entries(notSources)) {
  test(`${name}: not a source`, async () => {
    const wrong = /** @type {any} */ (source);
    await assert.rejects(luau.run(wrong), TypeError);
    assert.throws(() => luau.check(wrong), TypeError);
    assert.deepEqual(await luau.run("return 1"), [1]);
  });
}

test("bytes are a source, of another realm and of shared memory too", async () => {
  const { runInNewContext } = await import("node:vm");
  const text = "return 'bytes'";
  const shared = new Uint8Array(new SharedArrayBuffer(text.length));
  shared.set(Buffer.from(text));
  const foreign = runInNewContext("Uint8Array.from(codes)", { codes: [...Buffer.from(text)] });
  for (const source of [Buffer.from(text), shared, foreign]) {
    assert.deepEqual(await luau.run(source), ["bytes"]);
    assert.equal(luau.check(source), null);
  }
});

/** @type {[unknown, RegExp][]} */
const wrongOptions = [
  [null, /options of run/],
  ["name", /options of run/],
  [{ name: "x" }, /unknown option name of run; the options are: chunkName, args, signal/],
  [{ chunkName: 5 }, /chunkName: not a string/],
  [{ args: 5 }, /args: not an array/],
  [{ args: "text" }, /args: not an array/],
  [{ args: new Set([1]) }, /args: not an array/],
  [{ signal: {} }, /signal: not an AbortSignal/],
  [{ signal: false }, /signal: not an AbortSignal/],
];

test("options of run are checked", async () => {
  for (const [options, message] of wrongOptions) {
    const run = luau.run("return 1", /** @type {any} */ (options));
    await assert.rejects(run, (error) => error instanceof TypeError && message.test(error.message));
  }
});

test("a signal that is null is none", async () => {
  assert.deepEqual(await luau.run("return 1", { signal: null }), [1]);
});

test("what options of run throw by themselves is what the promise is rejected with", async () => {
  const thrown = new Error("by a getter");
  const getter = Object.defineProperty([1], 0, {
    get: () => {
      throw thrown;
    },
  });
  await assert.rejects(luau.run("return 1", { args: getter }), thrown);
  assert.deepEqual(await luau.run("return 1"), [1]);
});

test("names of globals are strings", () => {
  const wrong = /** @type {any} */ (5);
  assert.throws(() => luau.get(wrong), /name: not a string/);
  assert.throws(() => luau.set(wrong, 1), /name: not a string/);
});

test("a value of a script has no members by which it could be broken", async () => {
  const [thread] = await luau.run("return coroutine.create(print)");
  assert.match(String(thread), /^thread: 0x/);
  assert.equal(/** @type {any} */ (thread).free, undefined);
  luau.set("thread", thread);
  assert.deepEqual(await luau.run("return type(thread), coroutine.status(thread)"), ["thread", "suspended"]);
});
