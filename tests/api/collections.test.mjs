// Full collections of garbage keep neither a limit of time nor the event loop waiting, although each takes long.
//
// Tier: default.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Luau } from "../../pkg/node.js";

const TIME_LIMIT = 1_000;
/** Without a look at the clock after each collection these took 7 s to 51 s. A busy machine takes several times as long. */
const MAXIMUM = 6_000;

const MEMORY_LIMIT = 2 ** 27;

/** Makes functions that use memory up to the point where a call into Rust collects garbage: three quarters of the limit. */
const FILL = `
  local create, object = buffer.create, json.object
  local live, marked = {}, object({})
  local function used() return collectgarbage("count") * 1024 end
  local function fill()
    while used() < ${0.74 * MEMORY_LIMIT} do
      local tables = table.create(1e4)
      for i = 1, 1e4 do tables[i] = {} end
      table.insert(live, tables)
      task.wait()
    end
    -- A call that takes so long has collected garbage.
    repeat
      table.insert(live, create(10000))
      local began = os.clock()
      object(marked)
    until os.clock() - began > 0.02
    live[#live] = nil
    live[#live] = nil
    -- Another collection follows at once.
    task.wait(4)
    object(marked)
    task.wait(0.1)
  end`;

/** @param {string} source @param {import("../../pkg/node.js").LuauOptions} options */
async function timeOf(source, options = {}) {
  const luau = await Luau.create({ timeLimit: TIME_LIMIT, memoryLimit: MEMORY_LIMIT, ...options });
  const [fill, loop] = /** @type {(() => Promise<unknown>)[]} */ (
    await luau.run(`${FILL} return fill, function() ${source} end`)
  );
  assert(fill && loop);
  await fill();
  const began = performance.now();
  await assert.rejects(loop(), { kind: "timeout" });
  const milliseconds = performance.now() - began;
  luau.dispose();
  return milliseconds;
}

test("calls of a library that each make garbage", async () => {
  const milliseconds = await timeOf(
    // After many short turns of a loop the clock is read as seldom as it ever is.
    "for i = 1, 5e6 do end while true do create(25000) object(marked) end",
  );
  assert(milliseconds < MAXIMUM, `${Math.round(milliseconds)} ms`);
});

test("callbacks that the host calls in a loop", async () => {
  const milliseconds = await timeOf("each(function() end) while true do end", {
    globals: {
      each(/** @type {() => void} */ callback) {
        for (let i = 0; i < 1_000; i++) {
          callback();
        }
      },
    },
  });
  assert(milliseconds < MAXIMUM, `${Math.round(milliseconds)} ms`);
});
