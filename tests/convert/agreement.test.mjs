// A value arrives in Luau as the same value whether it was converted directly or crossed into a worker first.
//
// Tier: default; --full tries ten times as many values.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { jsonNull, Luau, LuauError } from "../../pkg/node.js";
import { isFull } from "../server/tier.mjs";
import { anything, ends, Opaque, sent } from "../worker/codecs.mjs";

/** @type {(value: unknown) => Promise<unknown>} */
let describe;
/** @type {Luau} */
let luau;

before(async () => {
  luau = await Luau.create();
  // The keys of a table are in the order of their descriptions.
  const [described] = await luau.run(`
    local function describe(value, seen)
      local kind = typeof(value)
      if kind == "table" then
        if seen[value] then return "#" .. seen[value] end
        seen.count += 1
        seen[value] = seen.count
        local parts = {}
        for key, part in value do
          table.insert(parts, { describe(key, seen), key })
        end
        table.sort(parts, function(one, other) return one[1] < other[1] end)
        for index, part in parts do
          parts[index] = part[1] .. "=" .. describe(value[part[2]], seen)
        end
        return "{" .. table.concat(parts, ",") .. "}"
      elseif kind == "buffer" then
        return "buffer " .. buffer.tostring(value)
      elseif kind == "JSError" then
        return "JSError " .. value.name .. ": " .. value.message
      elseif value == json.null then
        return "json.null"
      elseif kind == "JSObject" or kind == "function" then
        return kind
      end
      return kind .. " " .. tostring(value)
    end
    return function(value) return describe(value, { count = 0 }) end`);
  describe = async (value) =>
    (await /** @type {(value: unknown) => Promise<unknown[]>} */ (described)(value))[0];
});
after(() => luau.dispose());

/** Values that are hard to tell from others. @type {Record<string, () => unknown>} */
const ODD = {
  "an object of another realm": () => runInNewContext("({ a: [1, new Map([[1, 2]])] })"),
  "an array of another realm": () => runInNewContext("[1, , 3]"),
  "bytes of another realm": () => runInNewContext("new Uint8Array([1, 2])"),
  "a buffer of another realm": () => runInNewContext("new ArrayBuffer(2)"),
  "a map of another realm": () => runInNewContext("new Map([['a', 1]])"),
  "an error of another realm": () => runInNewContext("new RangeError('far')"),
  "bytes without a prototype": () => Object.setPrototypeOf(new Uint8Array([1, 2]), null),
  "a buffer without a prototype": () => Object.setPrototypeOf(new ArrayBuffer(2), null),
  "a map without a prototype": () => Object.setPrototypeOf(new Map([[1, 2]]), null),
  "an array without a prototype": () => Object.setPrototypeOf([1, 2], null),
  "a function without a prototype": () => Object.setPrototypeOf(() => 1, null),
  "bytes with a plain prototype": () => Object.setPrototypeOf(new Uint8Array([1, 2]), {}),
  "an object whose prototype is a null object": () => Object.create(Object.create(null)),
  "an object with a prototype": () => Object.create({ a: 1 }),
  "bytes with a property": () => Object.assign(new Uint8Array([1, 2]), { a: 1 }),
  "a part of a buffer": () => new Uint16Array(new Uint8Array([1, 2, 3, 4, 5, 6]).buffer, 2, 1),
  "a data view": () => new DataView(new Uint8Array([1, 2, 3]).buffer, 1),
  "shared bytes": () => new Uint8Array(new SharedArrayBuffer(2)),
  "a shared buffer": () => new SharedArrayBuffer(2),
  "a subclass of Map": () => new (class extends Map {})([[1, { a: 1 }]]),
  "a subclass of Array": () => new (class extends Array {})(1, 2, 3),
  "a subclass of an error": () => new (class Special extends Error {})("special"),
  "a LuauError": () => new LuauError("ours", { kind: "runtime" }),
  "a proxy of an array": () => new Proxy([1, 2], {}),
  "a proxy of an object": () => new Proxy({ a: 1 }, {}),
  "a proxy of bytes": () => new Proxy(new Uint8Array([1, 2]), {}),
  "a proxy of a map": () => new Proxy(new Map([[1, 2]]), {}),
  "an array with properties": () => Object.assign([1, 2], { a: 1 }),
  "arguments of a call": () =>
    (function () {
      // biome-ignore lint/complexity/noArguments: it is what is tested
      return arguments;
    })(),
  "a namespace object": () => Math,
  "an object with hidden members": () => Object.defineProperty({ a: 1 }, "b", { value: 2 }),
  "an object with a tag": () => ({ [Symbol.toStringTag]: "Tagged", a: 1 }),
  "an object with symbols": () => ({ [Symbol("x")]: 1, a: 1 }),
  "an object with a getter": () => ({
    get a() {
      return [1];
    },
  }),
  "a boxed number": () => Object(1),
  "a boxed string": () => Object("ab"),
  "a date": () => new Date(0),
  "a set": () => new Set([1]),
  "a weak map": () => new WeakMap(),
  "a promise": () => Promise.resolve(1),
  "json.null": () => jsonNull,
  "an instance of a class": () => new Opaque(),
  "a frozen object": () => Object.freeze({ a: Object.freeze([1]) }),
};

/** Describes a value that was converted directly, and one that crossed first. @param {unknown} value */
async function both(value) {
  const { page, worker } = ends();
  const outcome = async (/** @type {() => unknown} */ get) => {
    try {
      return await describe(get());
    } catch {
      return "refused";
    }
  };
  // In an array, where a promise is a value like any other.
  return [await outcome(() => [value]), await outcome(() => sent(page, worker, [value]))];
}

for (const [name, value] of Object.entries(ODD)) {
  test(name, async () => {
    const [direct, crossed] = await both(value());
    assert.equal(crossed, direct);
  });
}

test("any value", async () => {
  await fc.assert(
    fc.asyncProperty(anything, async (value) => {
      const [direct, crossed] = await both(value);
      assert.equal(crossed, direct);
    }),
    { numRuns: isFull ? 5_000 : 500, seed: 0x6c75_6175 },
  );
});
