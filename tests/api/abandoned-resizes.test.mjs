// The time limit holds while a large table grows, and the table loses no entries.
//
// Tier: default.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Luau } from "../../pkg/node.js";

/** The number of keys: a power of two, so that one more key resizes the table. */
const COUNT = 2 ** 21;

/** Assignments that resize the table `t`. Luau runs each through different code. */
const ASSIGNMENTS = {
  "assignment with a number as the key": "t[0.1] = true",
  "assignment with a string as the key": "t.key = true",
  rawset: "rawset(t, 0.1, true)",
};

for (const [name, assignment] of Object.entries(ASSIGNMENTS)) {
  test(name, async () => {
    const luau = await Luau.create({ timeLimit: 2_000, memoryLimit: 2 ** 30, globalScope: "vm" });
    await luau.run(`
      t = {}
      for i = 1, ${COUNT} do
        t[i + 0.5] = i
        if i % 2 ^ 16 == 0 then task.wait() end
      end`);
    // The time limit is almost reached when the table begins to grow.
    await assert.rejects(
      luau.run(
        `local ends = os.clock() + 1.995 while os.clock() < ends do end ${assignment} while true do end`,
      ),
      { kind: "timeout" },
    );
    const intact = await luau.run(`
      local count, sum = 0, 0
      for key, value in t do
        if key ~= 0.1 and key ~= "key" then
          count += 1
          sum += value
          if t[value + 0.5] ~= value then return false end
          if count % 2 ^ 16 == 0 then task.wait() end
        end
      end
      return count == ${COUNT} and sum == ${COUNT} * (${COUNT} + 1) / 2`);
    assert.deepEqual(intact, [true]);
    // The table can still grow.
    assert.deepEqual(await luau.run(`${assignment} t[0.3] = 1 return t[0.3], t[${COUNT} + 0.5]`), [1, COUNT]);
    luau.dispose();
  });
}
