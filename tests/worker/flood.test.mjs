// A worker cannot flood its page. The page gets its turn while a script calls its functions and prints any number of
// lines. Values that are too large to process at once cause an error.
//
// Tier: default.
// Engines: all.

import assert from "node:assert/strict";
import { test } from "node:test";
import { unexpected } from "../server/browser.mjs";
import { inPage, pageOfWorkers } from "./in-page.mjs";

const context = pageOfWorkers();

test("a page gets its turn while scripts call its functions by the ten thousand", async () => {
  const { calls, most, isInOrder } = await inPage(context, async ({ LuauWorker }) => {
    let calls = 0;
    let isInOrder = true;
    let inTurn = 0;
    let most = 0;
    const luau = await LuauWorker.create({
      globals: {
        count: (/** @type {number} */ index) => {
          calls++;
          isInOrder &&= index === calls;
          inTurn++;
          most = Math.max(most, inTurn);
        },
      },
    });
    // Like everything else in a page, a timer comes after what is already posted.
    const turns = setInterval(() => {
      inTurn = 0;
    }, 1);
    await luau.run("for i = 1, 3e4 do task.spawn(count, i) end");
    await luau.idle();
    clearInterval(turns);
    luau.dispose();
    return { calls, most, isInOrder };
  });
  assert.equal(calls, 30_000);
  assert(isInOrder);

  assert(most <= 5_000, `${most} calls between two turns`);
});

test("a page whose functions are slow gets its turn between their calls", async () => {
  const { calls, most } = await inPage(context, async ({ LuauWorker }) => {
    let calls = 0;
    let inTurn = 0;
    let most = 0;
    const luau = await LuauWorker.create({
      globals: {
        work: () => {
          const end = performance.now() + 2;
          while (performance.now() < end) {
            // The page is busy.
          }
          calls++;
          inTurn++;
          most = Math.max(most, inTurn);
        },
      },
    });
    const turns = setInterval(() => {
      inTurn = 0;
    }, 1);
    await luau.run("for i = 1, 500 do task.spawn(work) end");
    await luau.idle();
    clearInterval(turns);
    luau.dispose();
    return { calls, most };
  });
  assert.equal(calls, 500);
  assert(most <= 100, `${most} calls between two turns`);
});

test("lines, calls and results keep their order in a flood, and none is lost", async () => {
  const seen = await inPage(context, async ({ LuauWorker }) => {
    /** @type {string[]} */
    const seen = [];
    const luau = await LuauWorker.create({
      print: (text) => seen.push(text),
      globals: { call: (/** @type {string} */ text) => seen.push(text) },
    });
    await luau.run("for i = 1, 10000 do print(i) task.spawn(call, tostring(i)) end task.wait() print('end')");
    seen.push("resolved");
    await luau.idle();
    luau.dispose();
    return seen;
  });
  assert.deepEqual(
    seen.filter((text) => text !== "end" && text !== "resolved"),
    Array.from({ length: 20_000 }, (_, index) => String((index >> 1) + 1)),
  );
  assert(seen.indexOf("end") < seen.indexOf("resolved"));
});

test("values that are too large for a page or a worker are an error that names the limit", async () => {
  const result = await inPage(context, async ({ LuauWorker, failure }) => {
    /** @type {number[]} */
    const printed = [];
    const luau = await LuauWorker.create({
      globalScope: "vm",
      print: (_, values) => printed.push(values().length),
      globals: { give: (/** @type {number} */ length) => Array.from({ length }, () => []), take: () => {} },
    });
    await luau.run(
      "function many(make, n) local t = table.create(n) for i = 1, n do t[i] = make() end return t end",
    );
    const sources = [
      "return many(function() return {} end, 200001)",
      "return many(function() return vector.zero end, 200001)",
      "return many(function() return buffer.create(0) end, 200001)",
      "return table.create(4000001, 1)",
      "return string.rep('x', 2 ^ 27 + 1)",
      "take(many(function() return {} end, 200001))",
      "return #give(200001)",
      "print(many(function() return {} end, 200001))",
    ];
    /** @type {string[]} */
    const messages = [];
    for (const source of sources) {
      messages.push((await failure(luau.run(source))).message);
    }
    messages.push(
      (
        await failure(
          luau.set(
            "x",
            Array.from({ length: 200_001 }, () => []),
          ),
        )
      ).message,
    );
    const few = await luau.run("print(1, 2) return #give(100000), #many(function() return {} end, 100000)");
    const long = (await luau.run("return table.create(9e5, 1)"))[0].length;
    luau.dispose();
    return { messages, few, long, printed };
  });
  const [tables, vectors, buffers, numbers, text, args, returned, printedTables, set] = result.messages;
  const nodes =
    /more than 200000 tables, functions and other objects cannot cross between a page and its worker at once/;
  for (const message of [tables, vectors, buffers, args, returned, printedTables, set]) {
    assert.match(String(message), nodes);
  }
  assert.match(String(numbers), /more than 1000000 values cannot cross/);
  assert.match(String(text), /more than 134217728 characters and bytes cannot cross/);
  assert.deepEqual(result.few, [100_000, 100_000]);
  assert.equal(result.long, 9e5);
  assert.deepEqual(result.printed, [2]);
});

test("an error with a value that is too large comes without the value", async () => {
  const { run, told } = await inPage(context, async ({ LuauWorker, LuauError, caught, eventually }) => {
    /** @type {any} */
    let error;
    const luau = await LuauWorker.create({
      onError: (reported) => {
        error = reported;
      },
    });
    const source = "local t = {} for i = 1, 200001 do t[i] = {} end error(t)";
    const rejected = await caught(luau.run(source));
    await luau.run(`task.spawn(function() ${source} end)`);
    await eventually(() => error !== undefined);
    luau.dispose();
    const all = (/** @type {any} */ error) => [
      error instanceof LuauError,
      error.kind,
      error.line,
      error.value,
    ];
    return { run: all(rejected), told: all(error) };
  });
  assert.deepEqual(run, [true, "runtime", 1, undefined]);
  assert.deepEqual(told, run);
});

test("nothing of all this made the browser complain", () => {
  assert.deepEqual(unexpected(context.complaints), []);
});
