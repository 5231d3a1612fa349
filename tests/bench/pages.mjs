// The pages that run the benchmarks, for all tests of a file.

import { join } from "node:path";
import { after, before } from "node:test";
import { launch } from "../../benches/browser.mjs";
import { bundleOurs, bundlePeer, root } from "../../benches/bundle.mjs";
import { openServer } from "../server/browser.mjs";

/**
 * Bundles the package and wasmoon, and starts a browser without an inspector, which would make WebAssembly slower.
 *
 * @returns {() => Promise<import("../../benches/browser.mjs").Page>} opens a new page
 */
export function benchmarkPages() {
  /** @type {ReturnType<typeof start> | undefined} */
  let started;

  before(async () => {
    started = start();
    await started;
  });

  after(async () => {
    const { browser, server } = (await started) ?? {};
    await browser?.close();
    await server?.close();
  });

  return async () => {
    // Awaited, because Node may run another `before` at the same time.
    const { browser, server } = (await started) ?? {};
    if (browser === undefined || server === undefined) {
      throw new Error("pages can be opened from hooks and tests only");
    }
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${server.port}/benches/hosts/page.html`);
    return page;
  };
}

async function start() {
  await bundleOurs("ours", join(root, "pkg"));
  await bundlePeer("wasmoon");
  return { server: await openServer(), browser: await launch() };
}
