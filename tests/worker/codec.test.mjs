// Values that cross between a page and its worker are the same on the other side.
//
// Tier: default; --full adds an array of a million elements.

import assert from "node:assert/strict";
import { test } from "node:test";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { isFull } from "../server/tier.mjs";
import { anything, ends, Opaque, returned, sent } from "./codecs.mjs";

/**
 * Returns the expected result for a value that crosses and returns, by the table of conversions.
 *
 * @param {any} value
 * @returns {any}
 */
function expected(value) {
  if (Array.isArray(value)) {
    return Array.from(value, expected);
  }
  if (ArrayBuffer.isView(value)) {
    return new Uint8Array(value.buffer.slice(value.byteOffset, value.byteOffset + value.byteLength));
  }
  if (value instanceof Map) {
    return new Map(Array.from(value, ([key, entry]) => [expected(key), expected(entry)]));
  }
  const isPlain =
    typeof value === "object" &&
    value !== null &&
    [null, Object.prototype].includes(Object.getPrototypeOf(value));
  if (isPlain) {
    return Object.fromEntries(Object.keys(value).map((key) => [key, expected(value[key])]));
  }
  return value;
}

test("whatever crosses and comes back is as it was", () => {
  fc.assert(
    fc.property(anything, (value) => {
      assert.deepEqual(returned(value), expected(value));
    }),
    { numRuns: 2_000 },
  );
});

test("what stays behind is the very same when it comes back, wherever it stood", () => {
  const mine = [
    Symbol("symbol"),
    new Opaque(),
    new Date(),
    new Set(),
    new Error("error"),
    () => {},
    class {},
    new Proxy(new Opaque(), {}),
  ];
  fc.assert(
    fc.property(fc.constantFrom(...mine), fc.integer({ min: 0, max: 3 }), (value, times) => {
      const both = ends();
      for (let time = 0; time < times; time++) {
        assert.equal(returned(value, both), value);
      }
      const { one, many, map } = /** @type {any} */ (
        returned({ one: value, many: [value, value], map: new Map([[value, value]]) }, both)
      );
      assert.equal(one, value);
      assert.deepEqual(many, [value, value]);
      assert.equal(map.get(value), value);
    }),
  );
});

test("what stands for a thing is the same each time, on both sides", () => {
  const { page, worker } = ends();
  const call = () => {};
  const stub = sent(page, worker, call);
  assert.equal(sent(page, worker, call), stub);
  assert.equal(sent(page, worker, [call])[0], stub);
  assert.notEqual(
    sent(page, worker, () => {}),
    stub,
  );
  const handle = { toString: () => "thread: 0x12" };
  Object.setPrototypeOf(handle, Opaque.prototype);
  assert.equal(String(sent(worker, page, handle)), "thread: 0x12");
  assert.equal(sent(worker, page, handle), sent(worker, page, handle));
});

test("cyclic and shared structures keep their shape", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(9), fc.nat(9), fc.boolean()), { minLength: 1 }), (edges) => {
      const nodes = Array.from(
        { length: 10 },
        (_, number) => /** @type {any} */ ({ number, map: new Map() }),
      );
      for (const [from, to, isInMap] of edges) {
        if (isInMap) {
          nodes[from].map.set(nodes[to], nodes);
        } else {
          nodes[from][`to${to}`] = nodes[to];
        }
      }
      const { page, worker } = ends();
      const copies = sent(page, worker, nodes);
      for (const [from, to, isInMap] of edges) {
        assert.equal(
          isInMap ? copies[from].map.get(copies[to]) : copies[from][`to${to}`],
          isInMap ? copies : copies[to],
        );
      }
    }),
  );
});

test("a list 1e5 deep, arrays in arrays, and a long array", () => {
  const { page, worker } = ends();
  /** @type {any} */
  let list = { depth: 0 };
  /** @type {any} */
  let array = [];
  for (let depth = 1; depth <= 1e5; depth++) {
    list = { depth, next: list };
    array = [array];
  }
  let depth = 1e5;
  for (let copy = sent(page, worker, list); copy.next !== undefined; copy = copy.next) {
    assert.equal(copy.depth, depth--);
  }
  assert.equal(depth, 0);
  for (let copy = sent(page, worker, array); copy.length > 0; copy = copy[0]) {
    depth++;
  }
  assert.equal(depth, 1e5);
  const numbers = Array.from({ length: isFull ? 1e6 : 2e5 }, (_, index) => index);
  assert.deepEqual(sent(page, worker, numbers), numbers);
});

test("a key __proto__ is a property of its own", () => {
  const { page, worker } = ends();
  const copy = sent(page, worker, JSON.parse('{ "__proto__": { "polluted": true }, "constructor": 1 }'));
  assert.deepEqual(Object.keys(copy), ["__proto__", "constructor"]);
  assert.equal(Object.getPrototypeOf(copy), Object.prototype);
  assert.equal(copy.polluted, undefined);
});

test("each object has its kind of node", () => {
  const { page, worker } = ends();
  const kind = (/** @type {unknown} */ value) => page.encode([value]).nodes[0]?.type;
  assert.equal(kind({}), "object");
  assert.equal(kind(Object.create(null)), "object");
  assert.equal(kind(Object.create(Object.create(null))), "object");
  assert.equal(kind(runInNewContext("({})")), "object");
  assert.equal(kind(runInNewContext("[]")), "array");
  assert.equal(kind(new Proxy([], {})), "array");
  assert.equal(kind(Math), "object");
  assert.equal(kind(new DataView(new ArrayBuffer(1))), "bytes");
  assert.equal(kind(new SharedArrayBuffer(1)), "bytes");
  assert.equal(kind(new (class extends Map {})()), "map");
  assert.equal(kind(Object.create({})), "opaque");
  assert.equal(kind(new Opaque()), "opaque");
  assert.equal(kind(Promise.resolve()), "opaque");
  assert.equal(kind(new WeakMap()), "opaque");
  assert.equal(kind(new URIError("x")), "error");
  assert.equal(kind(Object("boxed")), "opaque");
  assert.equal(kind(sent(worker, page, new Opaque())), "yours");
});

test("bytes are a copy, of the part that a view shows", () => {
  const { page, worker } = ends();
  const bytes = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]);
  assert.deepEqual(sent(page, worker, new Uint16Array(bytes.buffer, 2, 2)), Uint8Array.from([3, 4, 5, 6]));
  assert.equal(bytes.length, 8);
  const shared = new Uint8Array(new SharedArrayBuffer(2)).fill(7);
  assert.deepEqual(sent(page, worker, shared), Uint8Array.from([7, 7]));
  const [left, right] = sent(page, worker, [bytes, bytes]);
  assert.equal(left, right);
});

test("functions are called on the side where they are", async () => {
  const { page, worker } = ends();
  const add = sent(page, worker, (/** @type {number} */ a, /** @type {number} */ b) => a + b);
  assert.equal(await add(1, 2), 3);
  const apply = sent(worker, page, (/** @type {Function} */ call, /** @type {unknown} */ value) =>
    call(value),
  );
  const given = new Opaque();
  assert.equal(await apply((/** @type {unknown} */ value) => value, given), given);
});

test("keys count as text", () => {
  const { page, worker } = ends();
  const key = "k".repeat(70_000_000);
  assert.throws(
    () => sent(page, worker, { [`${key}1`]: 1, [`${key}2`]: 2 }),
    /more than 134217728 characters and bytes cannot cross/,
  );
});
