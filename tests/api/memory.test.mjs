// Memory: a script that uses up what it may have gets an error at any place, and nobody else notices.
//
// Tier: default.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Luau, LuauError } from "../../pkg/node.js";

/** What a script may end with when there is no memory. */
const OUT_OF_MEMORY = /not enough memory|error in error handling/;

/** @param {Promise<unknown[]>} run */
async function outcome(run) {
  try {
    return await run;
  } catch (error) {
    assert(error instanceof LuauError, String(error));
    assert.match(error.message, OUT_OF_MEMORY);
    assert.equal(error.kind, "memory");
    return [];
  }
}

// Fills what is left but for less than `rest` bytes.
const FILL = `
  local hog = table.create(50000)
  local function fill(rest)
    for _, size in { 65536, 4096, 256, 16, 1 } do
      while size >= rest do
        local ok, block = pcall(buffer.create, size)
        if not ok then break end
        hog[#hog + 1] = block
      end
    end
  end
`;

const USES = {
  "task.defer": "task.defer(threads[i])",
  "task.defer with many arguments": "task.defer(nothing, table.unpack(threads))",
  "task.delay": "task.delay(60, nothing, threads[i])",
  print: "print(table.unpack(threads))",
  "json.encode": "json.encode(nested)",
  "json.decode": "json.decode(text)",
  "a function of the page": "page(table.unpack(threads))",
  "a function of the page that gets a table": "page(nested)",
  "a promise of the page": "task.spawn(later, threads[i])",
  require: "require('./module')",
  loadstring: "loadstring('return 1')",
  "an error": "error(setmetatable({}, { __tostring = function() return string.rep('x', 1000) end }))",
};

for (const [name, use] of Object.entries(USES)) {
  test(`without memory, ${name} fails or works, and the VM goes on`, async () => {
    const bystander = await Luau.create();
    for (const rest of [1, 16, 256, 4096]) {
      const luau = await Luau.create({
        memoryLimit: 2_000_000,
        print: () => {},
        onError: (error) => assert.match(error.message, OUT_OF_MEMORY),
        globals: {
          page: (/** @type {unknown[]} */ ...values) => values,
          later: async () => ({ a: [1, 2, { b: "c" }] }),
        },
        modules: { module: "return {}" },
      });
      await outcome(
        luau.run(
          `${FILL}
          local function nothing() end
          local threads = {}
          for i = 1, 200 do threads[i] = coroutine.create(nothing) end
          local nested = {}
          local inner = nested
          for i = 1, 100 do inner[1] = {}; inner = inner[1] end
          local text = json.encode(nested)
          fill(...)
          for i = 1, 200 do pcall(function() ${use} end) end
          hog = nil`,
          { args: [rest] },
        ),
      );
      luau.stop();
      assert.deepEqual(await luau.run("return 1"), [1], `with ${rest} bytes left`);
      luau.dispose();
    }
    assert.deepEqual(await bystander.run("return 1"), [1]);
    bystander.dispose();
  });
}

test("what a library needs beyond the limit is given back before the script goes on", async () => {
  const luau = await Luau.create({ memoryLimit: 4_000_000 });
  const [worked, message, memory] = await luau.run(`
    local text = "[" .. string.rep("[],", 50000) .. "0]"
    local worked, message = pcall(json.decode, text)
    return worked, message, collectgarbage("count") * 1024`);
  assert.equal(worked, false);
  assert.match(String(message), OUT_OF_MEMORY);
  assert(Number(memory) < 4_000_000, `${memory} bytes`);
  luau.dispose();
});

test("without an option there is a limit too", async () => {
  const [luau, bystander] = [await Luau.create(), await Luau.create()];
  await assert.rejects(
    luau.run("local t = {} while true do t[#t + 1] = buffer.create(64 * 1024 * 1024) end"),
    { kind: "memory" },
  );
  assert.deepEqual(await luau.run("return 1"), [1]);
  assert.deepEqual(await bystander.run("return 1"), [1]);
  luau.dispose();
  bystander.dispose();
});
