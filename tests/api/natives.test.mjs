// A loop of slow library calls ends soon after the time limit.
//
// Tier: default.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Luau } from "../../pkg/node.js";

const TIME_LIMIT = 1_000;
/**
 * The loops ran for 20 s or more when the clock was read once in thousands of calls. A busy machine takes several times
 * as long.
 */
const MAXIMUM = 10_000;

/** The calls that run in a loop. `text` and `bytes` have 16 MiB, `list` has a million values, and `holes` had as many. */
const CALLS = {
  "buffer.fill": "buffer.fill(bytes, 0, 1)",
  "buffer.copy": "buffer.copy(bytes, 1, bytes, 0, 2 ^ 24 - 1)",
  "buffer.readstring": "buffer.readstring(bytes, 0, 2 ^ 24)",
  "string.find": "string.find(text, string.rep('a', 30000) .. 'b', 1, true)",
  "string.find with a pattern": "string.find(text, 'a-b')",
  "string.find with a long set": "string.find(text, '[^' .. string.rep('b', 1000000) .. ']*c')",
  "string.find with a set that never fits": "string.find(text, '[' .. string.rep('b-b', 30000) .. ']c')",
  "string.find with a long capture": "string.find(text, '^(a*).-%1b')",
  "string.find with %b": "string.find(string.rep('(', 2 ^ 20), '%b()')",
  "string.match with %f": "string.match(text, '%f[' .. string.rep('b', 30000) .. ']')",
  "string.gsub": "string.gsub(text, 'b', 'c')",
  "string.rep": "string.rep('a', 2 ^ 24)",
  "string.reverse": "string.reverse(text)",
  "string.split": "string.split(text, string.rep('a', 30000) .. 'b')",
  "string.split into bytes": "string.split(text, '')",
  "string.sub": "string.sub(text, 2)",
  "string.upper": "string.upper(text)",
  "string.format": "string.format('%q', text)",
  "string.format with other directives": "string.format('%% %-5d %q', 1, text)",
  "string.unpack": "string.unpack(string.rep(' ', 60000), '')",
  concatenation: "local _ = text .. 'x'",
  comparison: "local _ = text < other",
  "comparisons without a loop": "less = text < other ".repeat(3_000),
  tonumber: "tonumber(text)",
  arithmetic: "pcall(function() return text + 1 end)",
  "utf8.len": "utf8.len(text)",
  "utf8.offset": "utf8.offset(text, -1000000)",
  "table.clone": "table.clone(list)",
  "table.concat": "table.concat(list)",
  "table.find": "table.find(list, 2)",
  "table.insert": "table.insert(list, 1, 1); table.remove(list, 1)",
  "table.move": "table.move(list, 1, 1000000, 2)",
  "table.move of nothing": "table.move({}, 1, 2 ^ 18, 1, {})",
  "table.sort": "table.sort(list)",
  "table.sort of long strings": "table.sort(similar)",
  "an iteration over what was removed": "for _ in holes do end",
  next: "next(holes)",
  "json.encode": "json.encode(list)",
  "json.decode": "json.decode('\"' .. text .. '\"')",
  print: "print(text)",
};

for (const [name, call] of Object.entries(CALLS)) {
  test(name, async () => {
    const luau = await Luau.create({ timeLimit: TIME_LIMIT, memoryLimit: 2 ** 31, print: () => {} });
    // Filling the memory may take longer than the limit, so the script waits in between.
    const functions = await luau.run(`
      local text, bytes, other, list, holes, similar
      local function prepare()
        text = string.rep("a", 2 ^ 24)
        task.wait()
        bytes = buffer.create(2 ^ 24)
        task.wait()
        if ${call.includes("other")} then other = string.rep("a", 2 ^ 24 - 1) .. "b" end
        if ${call.includes("list")} then list = table.create(1000000, 1) end
        if ${call.includes("similar")} then
          similar = {}
          for index = 1, 16 do similar[index] = string.rep("a", 2 ^ 20) .. index % 16 end
          for index = 17, 100000 do similar[index] = similar[index % 16 + 1] end
        end
        if not ${call.includes("holes")} then return end
        holes = {}
        for index = 1, 500000 do
          holes[index + 0.5] = 1
          if index % 100000 == 0 then task.wait() end
        end
        local removed = 0
        for key in holes do
          holes[key] = nil
          removed += 1
          if removed % 100000 == 0 then task.wait() end
        end
      end
      local function call()
        -- After many short turns of a loop the guard looks at the clock as seldom as it ever does.
        for _ = 1, 1e6 do end
        while true do ${call} end
      end
      return prepare, call`);
    const [prepare, loop] = /** @type {(() => Promise<unknown>)[]} */ (functions);
    assert(prepare && loop);
    await prepare();
    const began = performance.now();
    await assert.rejects(loop(), { kind: "timeout" });
    const milliseconds = performance.now() - began;
    assert(milliseconds < MAXIMUM, `${Math.round(milliseconds)} ms`);
    luau.dispose();
  });
}
