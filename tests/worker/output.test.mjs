// The output of scripts reaches the page in order, in batches, and before the answer that follows it.
//
// Tier: default.
// Engines: all.

import assert from "node:assert/strict";
import { test } from "node:test";
import { unexpected } from "../server/browser.mjs";
import { inPage, pageOfWorkers } from "./in-page.mjs";

const context = pageOfWorkers();

test("what is put out comes in order, in batches, and before the answer that follows it", async () => {
  const result = await inPage(context, async ({ LuauWorker }) => {
    /** @type {string[]} */
    const lines = [];
    let turns = 0;
    let isNewTurn = true;
    const luau = await LuauWorker.create({
      print: (text) => {
        lines.push(text);
        if (isNewTurn) {
          isNewTurn = false;
          turns++;
          queueMicrotask(() => {
            isNewTurn = true;
          });
        }
      },
      warn: (text) => lines.push(`warn ${text}`),
      onError: ({ message }) => lines.push(`error ${message}`),
      globals: { mark: (/** @type {string} */ text) => lines.push(`mark ${text}`) },
    });
    await luau.run("print('a') warn('b') task.spawn(error, 'c', 0) print('d') mark('e') print('f')");
    const mixed = lines.splice(0);
    turns = 0;
    await luau.run("for i = 1, 30000 do print(i) end");
    const isInOrder = lines.length === 30_000 && lines.every((line, index) => line === String(index + 1));
    luau.dispose();
    return { mixed, isInOrder, turns };
  });
  assert.deepEqual(result.mixed, ["a", "warn b", "error c", "d", "mark e", "f"]);
  assert.equal(result.isInOrder, true);
  // At least twenty lines per batch. The number of batches depends on how long the worker takes.
  assert(result.turns < 1_500, `in ${result.turns} turns`);
});

test("lines that are few, or come slowly, go out at once: they are seen though the script never waits", async () => {
  const result = await inPage(context, async ({ LuauWorker, eventually }) => {
    const seen = async (/** @type {string} */ source, /** @type {number} */ expected) => {
      // The page may process several batches in one turn, so the batches are counted where they arrive.
      let batches = 0;
      const worker = new Worker("/pkg/worker-thread.js", { type: "module" });
      let lines = 0;
      const luau = await LuauWorker.create({ worker: () => worker, print: () => lines++ });
      worker.addEventListener("message", () => batches++);
      luau.run(source).catch(() => {});
      await eventually(() => lines === expected);
      luau.terminate();
      return { lines, batches };
    };
    return {
      few: await seen("for i = 1, 200 do print(i) end while true do end", 200),
      slow: await seen(
        `local due = os.clock()
         for i = 1, 600 do
           due += 0.002
           while os.clock() < due do end
           print(i)
         end
         while true do end`,
        600,
      ),
    };
  });
  assert.deepEqual(result, { few: { lines: 200, batches: 200 }, slow: { lines: 600, batches: 600 } });
});

test("print gives values to a function that declares two parameters, and an error to others", async () => {
  const result = await inPage(context, async ({ LuauWorker, told }) => {
    /** @type {any[]} */
    const seen = [];
    const luau = await LuauWorker.create({
      print: (text, values) => seen.push([text, values()]),
      warn: (...args) => {
        try {
          args[1]();
        } catch (error) {
          seen.push(told(error).message);
        }
      },
    });
    await luau.run("print('a', { 1 }, nil) warn('b')");
    const [, [, table, last]] = seen[0];
    luau.dispose();
    return { count: seen[0][1].length, text: seen[0][0], table, last, message: seen[1] };
  });
  assert.match(result.text, /^a\t/);
  assert.deepEqual([result.count, result.table, result.last], [3, [1], undefined]);
  assert.match(result.message, /two parameters/);
});

test("what a sink throws is shown, and the script goes on", async () => {
  const result = await inPage(context, async ({ LuauWorker }) => {
    const { error } = console;
    /** @type {unknown[]} */
    const shown = [];
    console.error = (...args) => shown.push(...args);
    const thrown = new Error("of the sink");
    const luau = await LuauWorker.create({
      print: () => {
        throw thrown;
      },
    });
    const [result] = await luau.run("print('lost') return 'goes on'");
    luau.dispose();
    console.error = error;
    return { result, isShown: shown.length === 1 && shown[0] === thrown };
  });
  assert.deepEqual(result, { result: "goes on", isShown: true });
});

test("a page that ends the worker while it is told of something hears nothing more", async () => {
  const lines = await inPage(context, async ({ LuauWorker, failure, sleep }) => {
    /** @type {string[]} */
    const lines = [];
    const luau = await LuauWorker.create({
      print: (text) => {
        lines.push(text);
        if (text === "3") {
          luau.dispose();
        }
      },
    });
    const { kind } = await failure(luau.run("for i = 1, 1000 do print(i) end"));
    // Nothing more may arrive, and no event would show that.
    await sleep(50);
    return [...lines, kind];
  });
  assert.deepEqual(lines, ["1", "2", "3", "disposed"]);
});

test("onSocket sees what happens, in the page's time", async () => {
  const { events, from, to } = await inPage(context, async ({ LuauWorker, echo }) => {
    /** @type {import("../../pkg/worker.js").SocketEvent[]} */
    const events = [];
    const luau = await LuauWorker.create({ onSocket: (event) => events.push(event) });
    const from = performance.now();
    await luau.run(
      `local c = websocket.connect(...) c:Send(buffer.fromstring("abc")) c:Receive() c:Close() c.OnClose:Wait()`,
      { args: [echo] },
    );
    await luau.idle();
    const to = performance.now();
    luau.dispose();
    return { events: events.map((event) => ({ ...event, data: event.data && [...event.data] })), from, to };
  });
  assert.deepEqual(
    events.map(({ type }) => type),
    ["connecting", "open", "send", "message", "close"],
  );
  assert.deepEqual(events[2]?.data, [97, 98, 99]);
  for (const { time, id } of events) {
    assert.equal(id, 1);
    assert(time > from - 50 && time < to + 50, `${from} <= ${time} <= ${to}`);
  }
});

test("a script that puts out more than a page can take is held up: so many lines and bytes a second, and no more", async () => {
  for (const [source, most] of /** @type {const} */ ([
    ["while true do print('a line') end", { lines: 50_000, bytes: Number.POSITIVE_INFINITY }],
    [
      "local text = string.rep('x', 1000000) while true do print(text) end",
      { lines: 50_000, bytes: 32 * 1_048_576 },
    ],
  ])) {
    const { lines, bytes, seconds } = await flood(source);
    // A tenth of a second's worth may come at once, and the last line may exceed the limit. The clocks of the page and
    // the worker may differ slightly.
    const worth = 1.05 * (seconds + 0.15);
    const text = `${lines} lines, ${bytes} bytes in ${seconds} s`;
    assert(lines > 10, text);
    assert(lines < most.lines * worth + 1, text);
    assert(bytes < most.bytes * worth + 1_000_000, text);
  }
});

/**
 * Measures the output of a script in about a second. A busy machine may take longer, and the limit grows with the time.
 *
 * @param {string} source
 */
function flood(source) {
  return inPage(
    context,
    /** @type {any} */ (
      `async ({ LuauWorker, sleep }) => {
        let [lines, bytes] = [0, 0];
        const luau = await LuauWorker.create({
          print: (text) => {
            lines++;
            bytes += text.length;
          },
        });
        const began = performance.now();
        const run = luau.run(${JSON.stringify(source)}).catch(() => {});
        // Measuring a rate takes time.
        await sleep(1_000);
        const result = { lines, bytes, seconds: (performance.now() - began) / 1_000 };
        luau.terminate();
        await run;
        return result;
      }`
    ),
  );
}

test("a line that is too long is cut, and says so", async () => {
  const [text, values] = await inPage(context, async ({ LuauWorker }) => {
    /** @type {unknown[]} */
    let seen = [];
    const luau = await LuauWorker.create({
      print: (text, values) => {
        seen = [text.slice(-30), text.length, values()[0] === text];
      },
    });
    await luau.run("print(string.rep('x', 5000000))");
    luau.dispose();
    return [seen, seen[2]];
  });
  assert.match(String(text), /x… \(1000000 more characters\)/);
  assert.equal(values, true);
});

test("nothing of all this made the browser complain", () => {
  assert.deepEqual(unexpected(context.complaints), []);
});
