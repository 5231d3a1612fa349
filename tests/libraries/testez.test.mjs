// TestEZ, a test framework for Roblox that expects a tree of scripts, runs tests unmodified.
//
// Tier: default.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { Luau } from "../../pkg/node.js";

const folder = new URL("../../node_modules/@rbxts/testez/src/", import.meta.url);
const testez = Object.fromEntries(
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".lua"))
    .map((file) => [`Packages/TestEZ/${file}`, readFileSync(new URL(file, folder))]),
);

const SPEC = `
  return function()
    describe("arithmetic", function()
      local calls = 0
      beforeEach(function() calls += 1 end)
      it("adds", function() expect(1 + 1).to.equal(2) end)
      it("has hooks", function() expect(calls).to.equal(2) end)
      it("is not that", function() expect(1 + 1).to.equal(3) end)
      it("finds errors", function()
        expect(function() error("oops") end).to.throw()
        expect("text").to.be.a("string")
        expect(nil).never.to.be.ok()
      end)
      itSKIP("later", function() end)
    end)
  end`;

test("TestEZ finds the tests in a folder, runs them, and reports", async () => {
  /** @type {string[]} */
  const lines = [];
  const luau = await Luau.create({
    script: true,
    print: (text) => lines.push(text),
    modules: { ...testez, "tests/one.spec.luau": SPEC, "tests/deep/two.spec.luau": SPEC },
    globals: {
      // Functions of Roblox that TestEZ calls. TestService writes errors to the output.
      tick: () => Date.now() / 1_000,
      game: { GetService: () => ({ Error: () => {} }) },
    },
  });
  const [passed, failed, skipped, errors] = await luau.run(`
    local TestEZ = require(script.Parent.Packages.TestEZ)
    local results = TestEZ.TestBootstrap:run({ script.Parent.tests })
    return results.successCount, results.failureCount, results.skippedCount, results.errors`);
  luau.dispose();
  assert.deepEqual([passed, failed, skipped], [6, 2, 2]);
  assert.equal(/** @type {string[]} */ (errors).length, 2);
  assert.match(lines.join("\n"), /two.*arithmetic.*adds/s);
  assert.match(lines.join("\n"), /6 passed, 2 failed, 2 skipped/);
});
