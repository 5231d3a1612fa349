// A script that needs more memory than the engine has gets an error, and no VM of the instance ends.
//
// Tier: default.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Luau, LuauError } from "../../pkg/node.js";
import { moduleWithMaximum } from "./small-memory.mjs";

const MIB = 2 ** 20;
/** 32 MiB, in pages. */
const MAXIMUM = 512;

const module = await moduleWithMaximum(MAXIMUM);

/** Scripts that allocate until they fail, and the code that they run then, without memory. */
const ALLOCATIONS = {
  buffers: "hog[#hog + 1] = buffer.create(1024 * 1024)",
  "small buffers": "hog[#hog + 1] = buffer.create(100)",
  strings: "hog[#hog + 1] = string.rep(tostring(#hog), 1000)",
  "a string that doubles": "hog[1] = (hog[1] or 'x') .. (hog[1] or 'x')",
  tables: "hog[#hog + 1] = { #hog }",
  "a table that doubles": "hog[#hog + 1] = 0",
  closures: "local n = #hog; hog[#hog + 1] = function() return n end",
  threads: "hog[#hog + 1] = coroutine.create(print)",
  "threads that wait": "task.delay(1000, print)",
  chunks: "hog[#hog + 1] = assert(loadstring('return ' .. string.rep('{1},', 100) .. '2'))",
  "large chunks":
    "hog[#hog + 1] = assert(loadstring('return {' .. string.rep('{1},', 100000 * (#hog + 1)) .. '}'))",
  "encoded JSON": "hog[#hog + 1] = json.encode({ string.rep('x', 1000000), #hog })",
  "decoded JSON": "hog[#hog + 1] = json.decode('[' .. string.rep('[1],', 1000) .. '2]')",
  "output that is not UTF-8": "hog[#hog + 1] = string.rep('\\255', 4000000); print(hog[#hog])",
  "arguments of the host's functions": "hog[#hog + 1] = table.create(1000, 1); take(hog[#hog])",
  "results of the host's functions": "hog[#hog + 1] = give()",
  "threads and deferred calls": "task.spawn(coroutine.yield); task.defer(print)",
};

for (const [name, allocation] of Object.entries(ALLOCATIONS)) {
  test(name, async () => {
    // In one instance, so that the end of one VM is the end of the other.
    const options = { wasm: module, isolation: /** @type {const} */ ("shared"), memoryLimit: 4_000 * MIB };
    const bystander = await Luau.create(options);
    /** @type {unknown[]} */
    const taken = [];
    const luau = await Luau.create({
      ...options,
      print: () => {},
      onError: (error) => assert.equal(error.kind, "memory", error.message),
      globals: {
        take: (/** @type {unknown} */ value) => {
          taken[taken.length % 100] = value;
        },
        give: () => Array.from({ length: 1_000 }, (_, index) => ({ index })),
      },
    });
    const run = luau.run(`
      local hog = {}
      for i = 1, 2 do
        local ok, message
        repeat
          ok, message = pcall(function()
            while true do ${allocation} end
          end)
        until not ok
        -- Full: whatever is called now gets an error or works.
        for _ = 1, 10 do
          pcall(print, 1, "x", hog)
          pcall(json.encode, { 1, 2, { 3 } })
          pcall(loadstring, "return 1")
          pcall(task.defer, print)
          pcall(take, 1)
        end
        if i == 2 then error(message, 0) end
      end`);
    const error = await run.then(
      () => assert.fail("it ended"),
      (/** @type {unknown} */ thrown) => thrown,
    );
    assert(error instanceof LuauError, String(error));
    assert.match(error.message, /not enough memory|too many|too large|out of memory|overflow/);
    luau.stop();
    assert.deepEqual(await luau.run("return 1 + 1"), [2]);
    luau.dispose();
    assert.deepEqual(await bystander.run("return 1 + 2"), [3]);
    bystander.dispose();
  });
}

/** Scripts that hand over a value for which there is room only once. Each may work or fail. */
const LARGE_VALUES = {
  "a buffer for the host": "take(buffer.create(18_000_000))",
  "a string for the host": "take(string.rep('x', 18_000_000))",
  "a string that comes back": "return #echo(string.rep('x', 12_000_000))",
  "a buffer that comes back": "return buffer.len(echo(buffer.create(12_000_000)))",
  "the message of an error of the host": "fail(string.rep('x', 12_000_000))",
  "a text that the host throws": "throw(string.rep('x', 12_000_000))",
  loadstring: "loadstring(string.rep('x', 18_000_000))",
  "an error about names in JSON":
    "local k = string.rep('k', 5_000_000) json.encode({ [k] = { [k .. 1] = { [k .. 2] = print } } })",
  "names in JSON":
    "local k = string.rep('k', 5_000_000) json.encode({ [k] = { [k .. 1] = { [k .. 2] = 1 } } })",
};

for (const [name, script] of Object.entries(LARGE_VALUES)) {
  test(name, async () => {
    const luau = await Luau.create({
      wasm: module,
      memoryLimit: 4_000 * MIB,
      globals: {
        take: () => {},
        echo: (/** @type {unknown} */ value) => value,
        fail: (/** @type {string} */ text) => {
          throw Object.assign(new Error(text), { code: 5 });
        },
        throw: (/** @type {string} */ text) => {
          throw text;
        },
      },
    });
    await luau
      .run(script)
      .catch((error) => assert(error instanceof LuauError && error.kind !== "terminated", error));
    assert.deepEqual(await luau.run("return 1"), [1]);
    luau.dispose();
  });
}
