// With the option `script`, packages that were written for Roblox find each other with `script.Parent.Name`.
//
// Tier: default.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Luau } from "../../pkg/node.js";

/** A package as Wally installs it, with its sources at their places in Roblox. */
const PACKAGES = {
  "Packages/Promise.lua": 'return require(script.Parent._Index["evaera_promise@4.0.0"]["promise"])',
  "Packages/_Index/evaera_promise@4.0.0/promise/init.lua":
    "local Util = require(script.Util)\nreturn { name = 'promise', util = Util, signal = require(script.Parent.signal) }",
  "Packages/_Index/evaera_promise@4.0.0/promise/Util.lua":
    "return { of = script.Parent.Name, root = script.Parent.Parent.Name }",
  "Packages/_Index/evaera_promise@4.0.0/signal.luau": "return 'signal'",
  "Packages/Shared/init.luau": "return script",
  "Packages/Shared/Deep/One.spec.luau": "return script:GetFullName()",
};

/**
 * Runs a script with the packages.
 *
 * @param {string} source
 * @param {import("../../pkg/node.js").LuauOptions} [options]
 * @param {string} [chunkName]
 */
async function run(source, options, chunkName = "main") {
  const luau = await Luau.create({ modules: PACKAGES, script: true, ...options });
  try {
    return await luau.run(source, { chunkName });
  } finally {
    luau.dispose();
  }
}

/** Returns the source of one of these modules. */
const find = (/** @type {string} */ path) =>
  Object.entries(PACKAGES).find(([name]) => name.replace(/\.luau?$/, "") === path)?.[1];

test("a package of Wally is required by its place", async () => {
  const source = `
    local Promise = require(script.Parent.Packages.Promise)
    return Promise.name, Promise.util.of, Promise.util.root, Promise.signal, Promise == require("./Packages/Promise")`;
  const expected = ["promise", "promise", "evaera_promise@4.0.0", "signal", true];
  assert.deepEqual(await run(source), expected);
  assert.deepEqual(await run(source, { modules: find }), expected);
  assert.deepEqual(await run(source, { modules: async (path) => find(path) }), expected);
  assert.deepEqual(await run(source, {}, "/main.luau"), expected);
});

test("a place knows its name, its parent and its class, and is one value", async () => {
  assert.deepEqual(
    await run(`
      local packages = script.Parent.Packages
      local shared = require(packages.Shared)
      local seen = {}
      seen[shared] = true
      return { script.Name, tostring(packages.Shared), typeof(script), packages.Shared:GetFullName() },
        { script.ClassName, packages.ClassName, shared.ClassName, shared:IsA("LuaSourceContainer"), packages:IsA("ModuleScript") },
        shared == packages.Shared and seen[packages.Shared], script.Parent.Parent == nil, script == script.Parent:FindFirstChild("main"),
        script ~= shared`),
    [
      ["main", "Shared", "Instance", "Packages.Shared"],
      ["Script", "Folder", "ModuleScript", true, false],
      true,
      true,
      false,
      true,
    ],
  );
});

test("children are found by name, and listed", async () => {
  assert.deepEqual(
    await run(`
      local packages = script.Parent:WaitForChild("Packages")
      local names, below = {}, {}
      for _, child in packages:GetChildren() do table.insert(names, child.Name) end
      for _, child in packages.Shared:GetDescendants() do table.insert(below, child.Name) end
      return names, below, packages:FindFirstChild("Nothing"), tostring(packages:FindFirstChild("One.spec", true)),
        packages:WaitForChild("Nothing", 1), packages.Shared.Deep["One.spec"]:FindFirstAncestor("Packages") == packages,
        require(packages.Shared.Deep["One.spec"])`),
    [
      ["Promise", "Shared", "_Index"],
      ["Deep", "One.spec"],
      undefined,
      "One.spec",
      undefined,
      true,
      "Packages.Shared.Deep.One.spec",
    ],
  );
});

test("what is not there is an error that names the place, as in Roblox", async () => {
  for (const [source, message] of /** @type {[string, RegExp][]} */ ([
    ["return script.Parent.Packages.Nothing", /main:1: Nothing is not a valid member of Folder "Packages"/],
    [
      "return script.Parent.Packages.Promise.x",
      /x is not a valid member of ModuleScript "Packages\.Promise"/,
    ],
    ['return script.Parent:WaitForChild("Nothing")', /Nothing is not a valid member of Folder ""/],
    ['return script.Parent["../secret"]', /is not a valid member/],
    ['return script.Parent["%2e%2e"]', /is not a valid member/],
    ['return script.Parent.Packages.Shared["init"]', /init is not a valid member/],
    ["return require(script.Parent.Packages)", /no module|module not found/],
    ["return require(script.Parent)", /no module|module not found/],
    ["script.Parent = nil", /Parent of Script cannot be set/],
    ["return script[1]", /invalid argument #2|string expected/],
  ])) {
    await assert.rejects(run(source), { message });
  }
  // A function cannot list modules before it is called.
  await assert.rejects(run("return require(script.Parent.Nothing)", { modules: () => null }), {
    message: /no module|module not found/,
  });
  await assert.rejects(run("return script.Parent:GetChildren()", { modules: () => null }), {
    message: /cannot list the modules: the host looks them up with a function/,
  });
  await assert.rejects(run('return script.Parent["../secret"]', { modules: () => "return 1" }), {
    message: /is not a valid member/,
  });
});

test("it is there only where the host asks for it, and where each script can have its own", async () => {
  assert.deepEqual(await run("return script", { script: false }), [undefined]);
  assert.deepEqual(await run("return script", { script: undefined }), [undefined]);
  assert.deepEqual(await run("return script", { globals: { script: "mine" } }), ["mine"]);
  for (const options of /** @type {object[]} */ ([{ globalScope: "vm" }, { sandbox: false }])) {
    await assert.rejects(run("", options), { name: "TypeError", message: /option script: .*globalScope/ });
  }
  await assert.rejects(run("", { script: /** @type {any} */ ("yes") }), {
    name: "TypeError",
    message: /option script/,
  });
});

test("places of many names keep no memory", async () => {
  const [before, after] = await run(
    `
    local function fill(names)
      for index = 1, names do local _ = script.Parent["name" .. index] end
    end
    fill(100)
    local before = gcinfo()
    fill(200000)
    return before, gcinfo()`,
    { modules: () => null },
  );
  assert(Number(after) < 4 * Number(before) + 2_000, `${before} KB, then ${after} KB`);
});

test("a test kit reaches the globals of the tests that it runs, and only with the option", async () => {
  const modules = {
    kit: "return function(test) getfenv(test).describe = function(name) return 'described ' .. name end return test() end",
    "some.spec": "return function() return describe('some') end",
    foreign: "return function(f) setfenv(f, { value = 'set' }) return f() end",
  };
  const source = `
    local kit, spec = require("./kit"), require("./some.spec")
    local foreign = require("./foreign")
    local set, value = pcall(foreign, function() return value end)
    return pcall(kit, spec), select(2, pcall(kit, spec)), describe, set, value`;
  assert.deepEqual(await run(source, { modules }), [true, "described some", undefined, true, "set"]);
  const [isReached, , , isSet] = await run(source, { modules, script: false });
  assert.deepEqual([isReached, isSet], [false, false]);
});
