// A script that exceeds its memory limit gets an error, wherever that happens, and no other script notices.
//
// Tier: default.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Luau, LuauError } from "../../pkg/node.js";

/** The error of a script that runs out of memory. */
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

// Fills the remaining memory, except for less than `rest` bytes.
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

test("the text of an error does not make it one of memory", async () => {
  const luau = await Luau.create();
  for (const text of ["not enough memory", "x: not enough memory", "error in error handling"]) {
    await assert.rejects(luau.run("error(..., 0)", { args: [text] }), { kind: "runtime", message: text });
  }
  await assert.rejects(luau.run("local ok, message = pcall(buffer.create, 1e9); error(message, 0)"), {
    kind: "memory",
  });
  luau.dispose();
});

const MEMORY_LIMIT = 4 << 20;
/** More than the limit allows while Rust code runs, which is twice as much. */
const TOO_LARGE = MEMORY_LIMIT * 4;
const TEXT = "x".repeat(TOO_LARGE);

/** Functions that fail with an error whose text does not fit into memory, and the code that calls them. */
const FAILING = {
  "a host promise": "rejects()",
  "a host function": "throws()",
  "the promise of a module": "require('./rejected')",
  "the lookup of a module": "require('./thrown')",
  print: "print()",
};

for (const [name, call] of Object.entries(FAILING)) {
  test(`an error of ${name} that is too long for the memory limit is one of memory`, async () => {
    /** @type {LuauError[]} */
    const errors = [];
    const fail = () => {
      throw new Error(TEXT);
    };
    const luau = await Luau.create({
      memoryLimit: MEMORY_LIMIT,
      onError: (error) => void errors.push(error),
      print: fail,
      globals: { throws: fail, rejects: async () => fail() },
      modules: (path) => (path === "thrown" ? fail() : Promise.reject(new Error(TEXT))),
    });
    const isMemory = (/** @type {unknown} */ error) => {
      assert(error instanceof LuauError, String(error));
      assert.deepEqual([error.kind, error.message], ["memory", "script:1: not enough memory"]);
      return true;
    };
    await assert.rejects(luau.run(call), isMemory);
    const caught = `local ok, message = pcall(function() return ${call} end)`;
    assert.deepEqual(await luau.run(`${caught} return ok, message`), [false, "script:1: not enough memory"]);
    await assert.rejects(luau.run(`${caught} task.wait() error(message, 0)`), isMemory);
    assert.deepEqual(errors, []);
    assert.equal(luau.stats.threads, 0);
    luau.dispose();
  });
}

for (const [name, value] of Object.entries({
  string: TEXT,
  buffer: new Uint8Array(TOO_LARGE),
  array: new Array(TOO_LARGE / 8).fill(1.5),
})) {
  test(`memory refused to a ${name} of the host is an error of memory, awaited or not`, async () => {
    const luau = await Luau.create({
      memoryLimit: MEMORY_LIMIT,
      globals: { now: () => value, later: async () => value },
    });
    for (const [call, what] of [
      ["now", "what the function returned"],
      ["later", "what the promise was resolved with"],
    ]) {
      const expected = {
        kind: "memory",
        message: `script:1: ${what} cannot be a Luau value: not enough memory`,
      };
      for (const source of [
        `return ${call}()`,
        `local ok, message = pcall(${call}) error(string.gsub(message, "^w", "script:1: w"), 0)`,
        `local ok, message = pcall(function() return ${call}() end) task.wait() error(message, 0)`,
      ]) {
        await assert.rejects(luau.run(source), expected, source);
      }
    }
    luau.dispose();
  });
}

test("an error of a promise is one of memory only if memory was refused", async () => {
  const text = "not enough memory";
  const luau = await Luau.create({ globals: { rejects: () => Promise.reject(new Error(text)) } });
  await assert.rejects(luau.run("rejects()"), { kind: "runtime", message: `script:1: ${text}` });
  luau.dispose();
});
