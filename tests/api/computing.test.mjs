// Events that arrive while a script computes are handled afterwards, in order, and none is lost.
//
// Tier: default.

import assert from "node:assert/strict";
import { test } from "node:test";
import WebSocket from "ws";
import { Luau } from "../../pkg/node.js";
import { serverForTests } from "../server/for-tests.mjs";

const server = serverForTests();

const COUNT = 500;
/** The number of events that must arrive while a sliced script computes. */
const ENOUGH = 50;
/**
 * The pauses of the server after the first message, in seconds. On a busy machine all messages may arrive before the
 * script starts to compute, so each attempt has a longer pause.
 */
const PAUSES = [0.05, 0.5, 5, 20];

/** The ways in which a script can listen. Each fills `got` until all messages are there. */
const LISTENERS = {
  "a handler": `
    connection.OnMessage:Connect(function(message)
      table.insert(got, tonumber(message))
      if #got == 1 then compute(0.15) duringFirst = #got end
    end)
    connection.OnClose:Wait()`,
  "a handler that comes after the computing": `
    compute(0.15)
    connection.OnMessage:Connect(function(message) table.insert(got, tonumber(message)) end)
    connection.OnClose:Wait()`,
  iteration: `
    for message in connection do
      table.insert(got, tonumber(message))
      if #got == 1 then compute(0.15) duringFirst = #got end
    end`,
  Receive: `
    repeat
      local message = connection:Receive()
      table.insert(got, tonumber(message))
      if #got == 1 then compute(0.15) duringFirst = #got end
    until not message`,
  "OnMessage:Wait in a coroutine of the script's own": `
    local done = false
    task.spawn(coroutine.wrap(function()
      while true do
        local message = connection.OnMessage:Wait()
        if not message then break end
        table.insert(got, tonumber(message))
        if #got == 1 then compute(0.15) duringFirst = #got end
      end
      done = true
    end))
    while not done do task.wait() end`,
  "OnMessage:Once, time and again": `
    local function again(message)
      table.insert(got, tonumber(message))
      if #got == 1 then compute(0.15) duringFirst = #got end
      connection.OnMessage:Once(again)
    end
    connection.OnMessage:Once(again)
    connection.OnClose:Wait()`,
};

const numbers = Array.from({ length: COUNT }, (_, index) => index + 1);

for (const timeSlice of [8, Number.POSITIVE_INFINITY]) {
  const isSliced = timeSlice === 8;
  for (const [name, listen] of Object.entries(LISTENERS)) {
    test(`messages and the close that come while a script computes wait for ${name}, time slice ${timeSlice}`, async () => {
      /** @type {unknown[]} */
      const errors = [];
      /**
       * The number of messages that the host has seen. With slices some arrive while the script computes, and wait in
       * the VM.
       */
      let events = 0;
      const luau = await Luau.create({
        timeSlice,
        websocket: { WebSocket },
        onError: (error) => errors.push(error),
        onSocket: ({ type }) => {
          events += type === "message" ? 1 : 0;
        },
        globals: { events: () => events },
      });
      let seen = 0;
      for (const pause of PAUSES) {
        events = 0;
        const address = `${server.base}/burst?count=${COUNT}&close=4001&pause=${pause}`;
        const [got, code, during] = await luau.run(
          `local connection = websocket.connect("${address}")
          local got, duringFirst, seen = {}, 1, 0
          local function compute(seconds)
            local start, before = os.clock(), events()
            -- With slices, until enough messages have come meanwhile.
            local wanted = if ${isSliced} then math.min(before + ${ENOUGH}, ${COUNT}) else 0
            while os.clock() - start < seconds or events() < wanted do end
            seen = events() - before
          end
          ${listen}
          assert(duringFirst == 1, "another message was handed out while the script computed")
          return got, connection.CloseCode, seen`,
        );
        assert.deepEqual(got, numbers);
        assert.equal(code, 4001);
        seen = Number(during);
        if (!isSliced || seen >= ENOUGH) {
          break;
        }
      }
      if (isSliced) {
        assert(seen >= ENOUGH, `only ${seen} came while the script computed: this tries nothing`);
      } else {
        assert.equal(seen, 0, "some came while the script computed");
      }
      assert.deepEqual(errors, []);
      luau.dispose();
    });
  }
}
