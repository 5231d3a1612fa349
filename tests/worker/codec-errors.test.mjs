// Errors cross between a page and its worker with everything that belongs to them, and any thrown value can be
// rethrown.
//
// Tier: default.

import assert from "node:assert/strict";
import { test } from "node:test";
import { LuauError } from "../../pkg/vm/errors.js";
import { ends, Opaque, posted, sent } from "./codecs.mjs";

test("a LuauError keeps all its members, and what they refer to", () => {
  const { page, worker } = ends();
  const ours = new Opaque();
  const call = () => {};
  const frames = [
    { chunkName: "script", line: 3, name: "f" },
    { chunkName: "script", line: 5, name: undefined },
  ];
  const error = new LuauError("script:3: oops", {
    kind: "runtime",
    chunkName: "script",
    line: 3,
    frames,
    traceback: "script:3 function f\nscript:5",
    value: { code: 1, call },
    cause: sent(page, worker, ours),
  });
  const copy = sent(worker, page, error);
  assert(copy instanceof LuauError);
  assert.equal(copy.stack, error.stack);
  for (const name of /** @type {const} */ ([
    "name",
    "message",
    "kind",
    "chunkName",
    "line",
    "frames",
    "traceback",
  ])) {
    assert.deepEqual(copy[name], error[name]);
  }
  assert.equal(/** @type {any} */ (copy.value).code, 1);
  assert.equal(typeof (/** @type {any} */ (copy.value).call), "function");
  assert.equal(copy.cause, ours);
  assert.deepEqual(Object.keys(copy), Object.keys(error));
  assert.equal(sent(worker, page, error), copy);
  assert.equal(sent(page, worker, copy), error);
  const plain = sent(worker, page, new LuauError("stopped", { kind: "cancelled" }));
  assert(!("cause" in plain));
});

test("other errors keep their class, message and cause, and may be in a circle", () => {
  const { page, worker } = ends();
  const error = /** @type {any} */ (new TypeError("wrong"));
  error.cause = new RangeError("deeper", { cause: error });
  const copy = sent(worker, page, error);
  assert(copy instanceof TypeError && copy.cause instanceof RangeError);
  assert.equal(copy.message, "wrong");
  assert.equal(copy.stack, error.stack);
  assert.equal(copy.cause.cause, copy);
  const abort = sent(worker, page, new DOMException("gone", "AbortError"));
  assert.deepEqual([abort.name, abort.message], ["AbortError", "gone"]);
});

test("whatever is thrown can be thrown on the other side, with its text, and comes back as it was", () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const hostile = {
    get message() {
      throw new Error();
    },
    toString() {
      throw new Error();
    },
  };
  const secretive = Object.assign(new Error("no cause"), {
    cause: {
      get secret() {
        throw new Error();
      },
    },
  });
  /** @type {[unknown, string][]} */
  const thrown = [
    [new TypeError("wrong"), "wrong"],
    [{ message: "plain", code: 1 }, "plain"],
    [Object.assign(new Opaque(), { message: "opaque" }), "opaque"],
    [{ toString: () => "as text" }, "as text"],
    [Symbol("symbol"), "Symbol(symbol)"],
    [[1, 2], "1,2"],
    [secretive, "no cause"],
    [hostile, "something was thrown that cannot be shown"],
    [proxy, "something was thrown that cannot be shown"],
  ];
  const { page, worker } = ends();
  for (const [value, text] of thrown) {
    const [copy] = /** @type {any[]} */ (worker.decode(posted(page.encodeThrown(value))));
    assert(copy instanceof Error, text);
    assert.equal(copy.message, text);
    assert.equal(page.decode(posted(worker.encodeThrown(copy)))[0], value);
  }
  for (const value of ["text", 1, undefined, null, 1n]) {
    assert.equal(worker.decode(posted(page.encodeThrown(value)))[0], value);
  }
  // It was sent as a value before, without a message.
  const opaque = Object.assign(new Opaque(), { message: "opaque" });
  sent(page, worker, opaque);
  assert.equal(/** @type {any} */ (worker.decode(posted(page.encodeThrown(opaque)))[0]).message, "opaque");
});
