// Arbitrary values cross between JS and Luau: graphs of everything that either side can have, including odd and hostile
// values. A seed determines the cases; `cargo xtask fuzz convert` continues with others for a given time.
//
// Tier: default; --full tries ten times as many cases.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { Luau, LuauError } from "../../pkg/node.js";
import { isFull } from "../server/tier.mjs";

const seconds = Number(process.env.LUAU_FUZZ_SECONDS ?? 0);

/**
 * Options for trying a property: this many cases with the seed, or as many as there is time for.
 *
 * @param {number} numRuns
 */
function tried(numRuns) {
  return seconds > 0
    ? { numRuns: 1e9, interruptAfterTimeLimit: (seconds * 1000) / 2, markInterruptAsFailure: false }
    : { numRuns: isFull ? 10 * numRuns : numRuns, seed: 0x6c75_6175 };
}

/** @type {Luau} */
let luau;
/** The number of hostile getters that were called. */
let asked = 0;

before(async () => {
  luau = await Luau.create({ onError: () => {}, globals: { echo: (/** @type {unknown} */ value) => value } });
});
after(() => luau.dispose());

class Point {
  x = 1;
}

const name = fc.oneof(
  fc.string({ unit: "binary", maxLength: 8 }),
  fc.constantFrom(
    "__proto__",
    "constructor",
    "then",
    "toJSON",
    "length",
    "0",
    "1",
    "-1",
    "1.5",
    "4294967296",
    "",
  ),
);

/** Values without parts. They are created anew each time, because some are spoiled on purpose. */
const leaf = fc.oneof(
  fc.oneof(fc.double(), fc.integer(), fc.boolean(), fc.bigInt(), name).map((value) => () => value),
  fc.uint8Array({ maxLength: 8 }).map((bytes) => () => bytes.slice()),
  fc.constantFrom(
    () => undefined,
    () => null,
    () => -0,
    () => "\ud800",
    () => new Date(0),
    () => new Point(),
    () => Symbol("symbol"),
    () => Object(1n),
    () => new Error("error"),
    () => new Set([1]),
    () => new (class extends Array {})(3),
    () => Object.freeze({ frozen: [1] }),
    () => new Float64Array([1, Number.NaN]),
    () => new DataView(new ArrayBuffer(3), 1),
    () => new Proxy({ a: 1 }, {}),
    () => new Proxy([1, 2], {}),
    () => () => 1,
    () => async () => 1,
    () => class {},
    () => globalThis,
    () => Object.create(null),
    () => {
      const { proxy, revoke } = Proxy.revocable({}, {});
      revoke();
      return proxy;
    },
    () => {
      const buffer = new ArrayBuffer(8);
      const view = new Uint8Array(buffer);
      structuredClone(buffer, { transfer: [buffer] });
      return view;
    },
  ),
);

const kinds = /** @type {const} */ (["array", "sparse", "object", "bare", "map"]);

/** The side effects of getters. */
const spite = fc.constantFrom("throws", "empties", "grows", "runs", "stops", "sets");

/** A graph: for each node, its members by name, as the index of a node or as a leaf, and its getters. */
const graph = fc.array(
  fc.record({
    kind: fc.constantFrom(...kinds),
    parts: fc.array(fc.tuple(name, fc.oneof(fc.nat(7), leaf)), { maxLength: 5 }),
    getter: fc.option(fc.tuple(name, spite), { freq: 12 }),
  }),
  { minLength: 1, maxLength: 8 },
);

/**
 * @param {typeof graph extends import("fast-check").Arbitrary<infer T> ? T : never} plan
 * @returns {unknown}
 */
function build(plan) {
  const nodes = plan.map(({ kind }) => {
    if (kind === "map") return new Map();
    if (kind === "bare") return Object.create(null);
    return kind === "object" ? {} : [];
  });
  for (const [index, { kind, parts, getter }] of plan.entries()) {
    const node = /** @type {any} */ (nodes[index]);
    for (const [at, [key, part]] of parts.entries()) {
      const value = typeof part === "number" ? nodes[part % nodes.length] : part();
      if (kind === "map") node.set(at % 2 ? key : value, value);
      else if (kind === "array") node.push(value);
      else if (kind === "sparse") node[at * 2] = value;
      else Object.defineProperty(node, key, { value, enumerable: true, configurable: true, writable: true });
    }
    if (getter && kind !== "map") addGetter(node, ...getter);
  }
  return nodes[0];
}

/**
 * @param {any} node
 * @param {string} key
 * @param {string} spite
 */
function addGetter(node, key, spite) {
  const name = Array.isArray(node) ? String(node.length) : key;
  Object.defineProperty(node, name, {
    enumerable: true,
    configurable: true,
    get() {
      asked++;
      if (spite === "throws") throw new RangeError("spite");
      if (spite === "empties") for (const own of Object.keys(node)) delete node[own];
      if (spite === "grows") node[`more${asked}`] = node;
      if (spite === "runs") luau.run("return ...", { args: [[asked]] }).catch(() => {});
      if (spite === "stops") luau.stop();
      if (spite === "sets") luau.set("spite", [asked]);
      return asked;
    },
  });
}

/**
 * Returns a value that crosses and comes back, in a list, because `await` may take it for a promise.
 *
 * @param {unknown} value
 */
const returned = (value) => luau.run("return ...", { args: [value] });

/**
 * Returns true if there is a map with an object as a key. Their order depends on addresses, and for Node two cyclic
 * maps with different orders are not equal.
 *
 * @param {unknown} value
 * @param {Set<unknown>} [seen]
 * @returns {boolean}
 */
function hasKeyedByObjects(value, seen = new Set()) {
  if (typeof value !== "object" || value === null || seen.has(value)) {
    return false;
  }
  seen.add(value);
  if (value instanceof Map && [...value.keys()].some((key) => typeof key === "object")) {
    return true;
  }
  const parts = value instanceof Map ? [...value.keys(), ...value.values()] : Object.values(value);
  return parts.some((part) => hasKeyedByObjects(part, seen));
}

test("whatever the page gives is taken or refused, and what was taken once is taken again as it is", async (t) => {
  const counts = { taken: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(graph, async (plan) => {
      const value = build(plan);
      let first;
      try {
        first = await returned(value);
      } catch (error) {
        assert(error instanceof LuauError, String(error));
        assert(error.kind === "runtime" || error.kind === "cancelled", `${error.kind}: ${error.message}`);
        counts.refused++;
        assert.deepEqual(await luau.run("return 1"), [1]);
        return;
      }
      counts.taken++;
      const second = await returned(first[0]);
      if (!hasKeyedByObjects(first)) {
        assert.deepEqual(second, first);
      }
    }),
    tried(1_000),
  );
  assert(counts.taken > 0 && counts.refused > 0 && asked > 0, "each of it happens");
  t.diagnostic(`fuzz: ${counts.taken} values taken, ${counts.refused} refused, ${asked} getters asked`);
});

/** Luau source for values that come back as the very same. */
const key = fc.oneof(
  fc
    .double({ noNaN: true })
    .map((number) => (Number.isFinite(number) ? `(${number})` : `(${number > 0 ? "" : "-"}math.huge)`)),
  fc.integer().map((number) => `(${number})`),
  // Luau's own escapes as UTF-8, which cannot represent lone surrogates.
  fc
    .string({ unit: "grapheme", maxLength: 6 })
    .filter((text) => !/\p{Surrogate}/u.test(text))
    .map(
      (text) =>
        `"${[...new TextEncoder().encode(text)].map((byte) => `\\${String(byte).padStart(3, "0")}`).join("")}"`,
    ),
  fc.constantFrom("true", "false", "print", "coroutine.create(print)", "newproxy(true)"),
);

/** Includes a buffer, which comes back as a copy. */
const literal = fc.oneof({ weight: 6, arbitrary: key }, fc.constant("buffer.fromstring('ab\\0')"));

const COMPARE = `
  local function same(a, b, seen)
      if type(a) ~= type(b) then return false, typeof(a) .. " and " .. typeof(b) end
      if type(a) == "buffer" then return buffer.tostring(a) == buffer.tostring(b), "buffers" end
      if type(a) ~= "table" then return a == b, tostring(a) .. " and " .. tostring(b) end
      if seen[a] then return seen[a] == b, "a table that is two" end
      seen[a] = b
      for key, value in a do
          local ok, why = same(value, b[key], seen)
          if not ok then return false, tostring(key) .. ": " .. why end
      end
      for key in b do
          if a[key] == nil then return false, "more: " .. tostring(key) end
      end
      return true
  end
  return same(t1, echo(t1), {})`;

test("whatever a script has crosses to the page and back as it was, with its circles", async (t) => {
  let tables = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.array(fc.tuple(fc.oneof(key, fc.constant("")), fc.oneof(fc.nat(5), literal)), { maxLength: 6 }),
        {
          minLength: 1,
          maxLength: 6,
        },
      ),
      async (plan) => {
        const lines = plan.map((_, index) => `local t${index + 1} = {}`);
        for (const [index, parts] of plan.entries()) {
          for (const [at, part] of parts) {
            const value = typeof part === "number" ? `t${(part % plan.length) + 1}` : part;
            lines.push(at ? `t${index + 1}[${at}] = ${value}` : `table.insert(t${index + 1}, ${value})`);
          }
        }
        tables += plan.length;
        const source = lines.join("\n") + COMPARE;
        const [ok, why] = await luau.run(source);
        assert.equal(ok, true, `${why}\n${lines.join("\n")}`);
      },
    ),
    tried(700),
  );
  t.diagnostic(`fuzz: ${tables} tables there and back`);
});
