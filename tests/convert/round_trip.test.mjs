// Values that cross into Luau and back stay the same if the table of conversions says so. Tested as properties of
// generated values.
//
// Tier: default; --full adds more objects than mlua has room for.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { Luau, LuauError } from "../../pkg/node.js";
import { isFull } from "../server/tier.mjs";

/** @type {Luau} */
let luau;

before(async () => {
  luau = await Luau.create();
});
after(() => luau.dispose());

/**
 * Returns a value that crosses and comes back.
 *
 * @param {unknown} value
 */
async function returned(value) {
  const [result] = await luau.run("return ...", { args: [value] });
  return result;
}

/** Keys that have a special meaning on prototypes. */
const key = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.constantFrom("__proto__", "constructor", "toString", "hasOwnProperty", "0", "1", "length", ""),
);

/** Strings without lone surrogates, which have no UTF-8. */
const text = fc.string({ unit: "grapheme" }).filter((string) => !/\p{Surrogate}/u.test(string));

const scalar = fc.oneof(
  fc.boolean(),
  fc.double(),
  fc.integer(),
  text,
  fc.uint8Array(),
  fc.constantFrom(0, -0, Number.NaN, Infinity, -Infinity, 2 ** 53, "\0", "", "nil"),
);

/** Plain objects with at least one key, because an empty table is an empty array. */
const { tree } = fc.letrec(
  (/** @type {(name: string) => import("fast-check").Arbitrary<unknown>} */ tie) => ({
    tree: fc.oneof({ depthSize: "small" }, scalar, tie("array"), tie("object"), tie("map")),
    array: fc.array(tie("tree"), { maxLength: 6 }),
    object: fc
      .array(fc.tuple(key, tie("tree")), { minLength: 1, maxLength: 5 })
      // Not with `{ [key]: value }`, which would set the prototype for the key __proto__.
      .map((entries) => Object.fromEntries(entries)),
    // Keys of neither an array nor an object.
    map: fc
      .uniqueArray(fc.tuple(fc.oneof(fc.double({ noNaN: true }), fc.boolean()), tie("tree")), {
        minLength: 1,
        maxLength: 4,
        selector: ([entry]) => entry,
        comparator: (a, b) => a === b,
      })
      .map((entries) => new Map([...entries, [false, 0]])),
  }),
);

test("values, arrays, objects and maps come back as they were", async () => {
  await fc.assert(
    fc.asyncProperty(/** @type {import("fast-check").Arbitrary<unknown>} */ (tree), async (value) => {
      assert.deepEqual(withoutOrder(await returned(value)), withoutOrder(value));
    }),
    { numRuns: 500 },
  );
});

/**
 * Removes the order of tables, and the sign of zero from number keys, which Luau does not keep.
 *
 * @param {any} value
 * @returns {any}
 */
function withoutOrder(value) {
  if (Array.isArray(value)) {
    return value.map(withoutOrder);
  }
  if (value instanceof Map) {
    return new Map([...value].map(([entry, inner]) => [entry === 0 ? 0 : entry, withoutOrder(inner)]));
  }
  if (value !== null && typeof value === "object" && !(value instanceof Uint8Array)) {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withoutOrder(inner)]));
  }
  return value;
}

test("cyclic and shared structures keep their shape", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.nat(9), fc.nat(9)), { minLength: 1 }), async (edges) => {
      // Ten nodes, each with its number, and references to any of them, including itself.
      const nodes = Array.from({ length: 10 }, (_, number) => /** @type {any} */ ({ number }));
      for (const [from, to] of edges) {
        nodes[from][`to${to}`] = nodes[to];
      }
      const copies = /** @type {any} */ (await returned(nodes));
      assert.equal(copies.length, nodes.length);
      for (const [index, copy] of copies.entries()) {
        assert.deepEqual(Object.keys(copy).sort(), Object.keys(nodes[index]).sort());
        for (const name of Object.keys(copy).filter((entry) => entry !== "number")) {
          assert.equal(copy[name], copies[Number(name.slice(2))]);
        }
      }
    }),
    { numRuns: 200 },
  );
});

test("so do those that go through Maps, by their values and by their keys", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(5), fc.nat(5), fc.boolean()), { minLength: 1 }),
      async (edges) => {
        const nodes = Array.from(
          { length: 6 },
          (_, number) => /** @type {Map<any, any>} */ (new Map([[0.5, number]])),
        );
        for (const [from, to, isKey] of edges) {
          nodes[from]?.set(isKey ? nodes[to] : to + 0.25, isKey ? -to : nodes[to]);
        }
        const copies = /** @type {Map<any, any>[]} */ (await returned(nodes));
        for (const [from, copy] of copies.entries()) {
          assert.equal(copy.get(0.5), from);
          assert.equal(copy.size, nodes[from]?.size);
        }
        for (const [from, to, isKey] of edges) {
          const copy = copies[from];
          assert.equal(isKey ? copy?.get(copies[to]) : copy?.get(to + 0.25), isKey ? -to : copies[to]);
        }
      },
    ),
    { numRuns: 200 },
  );
});

test("a long array, and a list 1e5 deep", async () => {
  const array = Array.from({ length: isFull ? 1e6 : 3e5 }, (_, index) => index / 2);
  assert.deepEqual(await returned(array), array);
  /** @type {any} */
  let list = { depth: 0 };
  for (let depth = 1; depth <= 1e5; depth++) {
    list = { depth, next: list };
  }
  let copy = /** @type {any} */ (await returned(list));
  for (let depth = 1e5; depth >= 0; depth--) {
    assert.equal(copy.depth, depth);
    copy = copy.next;
  }
  assert.equal(copy, undefined);
});

test("more objects than Rust can hold, beside each other and in each other", async () => {
  // Each used to be held twice on the way in. Scripts may have Rust hold 300,000 values, and mlua has room for a
  // million.
  const count = isFull ? 6e5 : 2e5;
  const shared = { index: 0 };
  // One of them is at both ends, so the last element refers to the first.
  const array = Array.from({ length: count }, (_, index) => (index % (count - 1) === 0 ? shared : { index }));
  luau.set("structure", array);
  assert.deepEqual(await luau.run("return #structure, structure[1] == structure[#structure]"), [count, true]);
  const copies = /** @type {{ index: number }[]} */ (luau.get("structure"));
  assert.equal(copies.length, count);
  assert.equal(copies[0], copies[count - 1]);
  assert(copies.every(({ index }, place) => index === place % (count - 1)));

  /** @type {any} */
  let list = [];
  for (let depth = 1; depth < count; depth++) {
    list = [list];
  }
  luau.set("structure", list);
  let depth = 0;
  for (let copy = /** @type {any} */ (luau.get("structure")); copy !== undefined; copy = copy[0]) {
    depth++;
  }
  assert.equal(depth, count);
  luau.set("structure", undefined);
});

test("objects, functions and symbols come back as the very same", async () => {
  class Point {}
  const { proxy } = Proxy.revocable(new Point(), {});
  const objects = [new Date(), /x/, new Point(), new Set([1]), new Error("x"), new WeakMap(), proxy];
  for (const value of [...objects, () => {}, class {}, async () => {}, Symbol("x"), Symbol.iterator]) {
    assert.equal(await returned(value), value);
  }
  const [same] = await luau.run("local a, b, t = ... return a == b and t[a] == 1 and t.x == a", {
    args: [
      objects[0],
      objects[0],
      new Map(
        /** @type {any} */ ([
          [objects[0], 1],
          ["x", objects[0]],
        ]),
      ),
    ],
  });
  assert.equal(same, true);
});

test("Luau's functions and handles come back as the very same", async () => {
  for (const source of [
    "return function() end",
    "return coroutine.create(print)",
    "return newproxy(true)",
    "return print",
  ]) {
    const [value] = await luau.run(source);
    assert.equal(await returned(value), value, source);
    luau.set("kept", value);
    const [isSame] = await luau.run("return kept == ...", { args: [value] });
    assert.equal(isSame, true, source);
    assert.equal(luau.get("kept"), value, source);
  }
});

test("the rows of the table that do not come back as they went", async () => {
  /** @type {[unknown, unknown][]} */
  const rows = [
    [undefined, undefined],
    [null, undefined],
    [9007199254740991n, 9007199254740991],
    [-1n, -1],
    [new Uint16Array([1, 258]), new Uint8Array([1, 0, 2, 1])],
    [new Uint8Array([1, 2, 3, 4]).subarray(1, 3), new Uint8Array([2, 3])],
    [new DataView(new ArrayBuffer(2)), new Uint8Array(2)],
    [new ArrayBuffer(1), new Uint8Array(1)],
    [{}, []],
    [new Map([["a", 1]]), { a: 1 }],
    [
      new Map([
        [1, "a"],
        [2, "b"],
      ]),
      ["a", "b"],
    ],
    [Object.create(null, { a: { value: 1, enumerable: true }, hidden: { value: 2 } }), { a: 1 }],
    [[1, undefined], [1]],
    [
      [1, undefined, 3],
      new Map([
        [1, 1],
        [3, 3],
      ]),
    ],
    ["\ud800", "\ufffd"],
  ];
  for (const [value, expected] of rows) {
    assert.deepEqual(await returned(value), expected);
  }
  assert.deepEqual(await luau.run("return json.null, vector.create(1, 2, 3)"), [null, [1, 2, 3]]);
});

test("bytes are copies", async () => {
  const bytes = new Uint8Array([1, 2]);
  luau.set("kept", bytes);
  bytes[0] = 9;
  const first = /** @type {Uint8Array} */ (luau.get("kept"));
  first[1] = 9;
  assert.deepEqual(luau.get("kept"), new Uint8Array([1, 2]));
});

test("what cannot be converted is an error that says so, and nothing is half done", async () => {
  const { proxy, revoke } = Proxy.revocable([], {});
  revoke();
  const buffer = new ArrayBuffer(8);
  const view = new Uint8Array(buffer);
  structuredClone(buffer, { transfer: [buffer] });
  const throwing = {
    get a() {
      throw new RangeError("no a");
    },
  };
  /** @type {[unknown, RegExp][]} */
  const rows = [
    [2n ** 63n, /bigint 9223372036854775808/],
    [[[2n ** 64n]], /bigint 18446744073709551616/],
    [throwing, /no a/],
    [{ deep: [throwing] }, /no a/],
    [proxy, /revoked/],
    // Its buffer was transferred to another thread.
    [view, /detached/],
    [
      new Proxy(
        {},
        {
          ownKeys: () => {
            throw new Error("no keys");
          },
        },
      ),
      /no keys/,
    ],
    [
      new Proxy(
        {},
        {
          getPrototypeOf: () => {
            throw new Error("no prototype");
          },
        },
      ),
      /no prototype/,
    ],
    [
      new Proxy([1], {
        get: () => {
          throw new Error("no element");
        },
      }),
      /no element/,
    ],
    [new Map([[undefined, 1]]), /key that is undefined/],
    [new Map([[Number.NaN, 1]]), /key that is undefined, null or NaN/],
    [new Array(2 ** 32 - 1), /longer than a table/],
    [
      Object.assign(new Map(), {
        [Symbol.iterator]: () => {
          throw new Error("no iterator");
        },
      }),
      /no iterator/,
    ],
  ];
  for (const [value, message] of rows) {
    await assert.rejects(luau.run("return ...", { args: [value] }), (error) => {
      assert(error instanceof LuauError);
      assert.match(error.message, message);
      return true;
    });
    assert.throws(() => luau.set("broken", value), message);
  }
  assert.equal(luau.get("broken"), undefined);
  assert.deepEqual(await luau.run("return 1"), [1]);
});
