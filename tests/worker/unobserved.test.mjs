// If a call of a script's function fails, the error goes to the code that awaits the promise, or to `onError` if nothing
// does. The same holds in a page and in a worker.
//
// Tier: default.
// Engines: all.

import assert from "node:assert/strict";
import { test } from "node:test";
import { unexpected } from "../server/browser.mjs";
import { inPage, pageOfWorkers } from "./in-page.mjs";

const context = pageOfWorkers();

for (const name of /** @type {const} */ (["Luau", "LuauWorker"])) {
  test(`failed calls of script functions: ${name}`, async () => {
    await context.page.evaluate((name) => Object.assign(globalThis, { className: name }), name);
    const result = await inPage(context, async ({ LuauWorker, eventually, sleep }) => {
      /** @type {unknown[]} */
      const unhandled = [];
      const listener = (/** @type {PromiseRejectionEvent} */ event) => unhandled.push(event.reason.message);
      globalThis.addEventListener("unhandledrejection", listener);
      /** @type {string[]} */
      const reported = [];
      // @ts-expect-error: the path exists only on the server of the tests, so TypeScript cannot resolve it.
      const { Luau } = await import("/pkg/index.js");
      const isWorker = /** @type {any} */ (globalThis).className === "LuauWorker";
      const luau = await (isWorker ? LuauWorker : Luau).create({
        onError: (/** @type {Error} */ error) => reported.push(error.message),
      });
      const [fail, wait] = await luau.run(
        "return function(text) task.wait() error(text, 0) end, function() task.wait(3600) end",
      );
      const caught = [
        await fail("awaited").catch((/** @type {Error} */ error) => error.message),
        await Promise.all([fail("of all")]).catch((error) => error.message),
        await Promise.resolve(fail("resolved")).catch((error) => error.message),
      ];
      try {
        await fail("await");
      } catch (error) {
        caught.push(/** @type {Error} */ (error).message);
      }
      fail("one");
      fail("two");
      await eventually(() => reported.length >= 2);
      wait();
      luau.dispose();
      wait();
      // Nothing else may be reported. No event shows that, so this waits.
      await sleep(100);
      globalThis.removeEventListener("unhandledrejection", listener);
      return { caught, reported: reported.sort(), unhandled };
    });
    assert.deepEqual(result, {
      caught: ["awaited", "of all", "resolved", "await"],
      reported: ["one", "two"],
      unhandled: [],
    });
  });
}

test("the browser reported no problems", () => {
  assert.deepEqual(unexpected(context.complaints), []);
});
