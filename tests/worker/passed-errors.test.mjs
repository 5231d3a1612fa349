// An error that passes through functions of the page stays the same, although it crosses between the page and the
// worker each time.
//
// Tier: default.

import assert from "node:assert/strict";
import { test } from "node:test";
import { inPage, pageOfWorkers } from "./in-page.mjs";

const context = pageOfWorkers();

test("values, kinds, frames and texts", async () => {
  const seen = await inPage(context, async ({ LuauWorker, LuauError, caught }) => {
    const made = new LuauError("not enough money", { kind: "cancelled", value: { price: 5 } });
    const refused = Object.assign(new Error("no entry"), { name: "Refused", code: "E403" });
    const luau = await LuauWorker.create({
      globals: {
        call: async (/** @type {() => Promise<unknown[]>} */ f) => void (await f()),
        buy: () => {
          throw made;
        },
        enter: () => {
          throw refused;
        },
      },
    });
    const table = await caught(
      luau.run("call(function()\n  call(function() error({ code = 7 }) end)\nend)", { chunkName: "main" }),
    );
    const text = await caught(luau.run("call(function() call(function() error('oops') end) end)"));
    const bought = await caught(luau.run("buy()"));
    const entered = await caught(luau.run("enter()"));
    const results = await luau.run(`
      local thrown = {}
      local _, same = pcall(call, function() call(function() error(thrown) end) end)
      local _, bought = pcall(buy)
      local _, refused = pcall(enter)
      return rawequal(same, thrown), bought.price, refused.name, refused.code, tostring(refused), refused`);
    const isSame = results.pop() === refused;
    luau.dispose();
    return {
      table: [table.value, table.kind, table.frames.map((/** @type {any} */ { line }) => line)],
      text: text.message,
      bought: [bought.message, bought.kind, bought.value, bought.cause === made],
      entered: [entered.message, entered.cause === refused],
      results,
      isSame,
    };
  });
  assert.deepEqual(seen, {
    table: [{ code: 7 }, "runtime", [2, 2, 1]],
    text: "script:1: oops",
    bought: ["not enough money", "cancelled", { price: 5 }, true],
    entered: ["script:1: no entry", true],
    results: [true, 5, "Refused", "E403", "no entry"],
    isSame: true,
  });
});

test("a function of the page that cannot be waited for is named", async () => {
  const message = await inPage(context, async ({ LuauWorker, caught }) => {
    const luau = await LuauWorker.create({ globals: { compare: () => true } });
    const error = await caught(luau.run("table.sort({ 2, 1 }, compare)"));
    luau.dispose();
    return error.message;
  });
  assert.match(message, /attempt to yield across metamethod\/C-call boundary: the host function 'compare'/);
});
