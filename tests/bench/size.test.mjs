// The module does not exceed its size limit.
//
// Tier: default.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "../../benches/bundle.mjs";
import { brotli } from "../../benches/start.mjs";

/** The size limits of luau.wasm in bytes, raw and compressed: its current sizes plus three percent. */
const BUDGET = { raw: 1_900_000, brotli: 510_000 };

test("luau.wasm keeps to its budget", () => {
  const module = readFileSync(join(root, "pkg/luau.wasm"));
  const sizes = { raw: module.length, brotli: brotli(module) };
  for (const kind of /** @type {const} */ (["raw", "brotli"])) {
    assert(sizes[kind] <= BUDGET[kind], `${kind}: ${sizes[kind]} bytes, and ${BUDGET[kind]} are allowed`);
  }
});
