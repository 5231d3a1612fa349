// A page for the tests of workers, with tools for them.

import { pageForTests } from "../server/browser.mjs";
import { isFull } from "../server/tier.mjs";

/**
 * The description of an error that a test gets from the page.
 *
 * @typedef {{ isLuauError: boolean, name: string, message: string, kind: string | undefined }} Told
 *
 * A worker whose results may be anything, so that tests can look into them.
 * @typedef {Omit<import("../../pkg/worker.js").LuauWorker, "run" | "get" | "check"> & {
 *   run: (...args: Parameters<import("../../pkg/worker.js").LuauWorker["run"]>) => Promise<any[]>,
 *   get: (name: string) => Promise<any>,
 *   check: (source: string, chunkName?: string) => Promise<any>,
 * }} AnyWorker
 *
 * The tools in the page.
 * @typedef {{
 *   LuauWorker: { create: (options?: import("../../pkg/worker.js").LuauWorkerOptions) => Promise<AnyWorker> },
 *   LuauError: typeof import("../../pkg/worker.js").LuauError,
 *   echo: string,
 *   told: (error: any) => Told,
 *   failure: (promise: Promise<unknown>) => Promise<Told>,
 *   caught: (promise: Promise<unknown>) => Promise<any>,
 *   sleep: (milliseconds: number) => Promise<void>,
 *   eventually: (condition: () => unknown) => Promise<void>,
 *   isFull: boolean,
 * }} Tools
 */

/** Opens a page for the tests of a file. */
export function pageOfWorkers() {
  return pageForTests("/tests/worker/page.html", async ({ page, port }) => {
    await page.evaluate(
      async ({ address, isFullTier }) => {
        // @ts-expect-error: the path exists only on the server of the tests, so TypeScript cannot resolve it.
        const { LuauWorker, LuauError } = await import("/pkg/worker.js");
        /** @type {Tools} */
        const tools = {
          LuauWorker,
          LuauError,
          echo: address,
          told: (error) => ({
            isLuauError: error instanceof LuauError,
            name: error?.name,
            message: error?.message,
            kind: error?.kind,
          }),
          caught: (promise) =>
            promise.then(
              (value) => new Error(`not rejected, but resolved with ${value}`),
              (error) => error,
            ),
          failure: async (promise) => tools.told(await tools.caught(promise)),
          sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
          eventually: async (condition) => {
            // Only keeps a broken test from hanging: a busy machine must not reach it.
            const deadline = performance.now() + 60_000;
            while (!(await condition())) {
              if (performance.now() > deadline) {
                throw new Error(`still not so after a minute: ${condition}`);
              }
              await tools.sleep(5);
            }
          },
          isFull: isFullTier,
        };
        Object.assign(globalThis, { tools });
      },
      { address: `ws://127.0.0.1:${port}/echo`, isFullTier: isFull },
    );
  });
}

/**
 * Runs a function in the page. It is sent as text, so it cannot use its surroundings.
 *
 * @template T
 * @param {import("../server/browser.mjs").Context} context
 * @param {(tools: Tools) => Promise<T>} body
 * @returns {Promise<T>}
 */
export function inPage({ page }, body) {
  return page.evaluate(`(${body})(globalThis.tools)`);
}
