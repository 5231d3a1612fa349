// What axe-core finds on a page.

import { createRequire } from "node:module";

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/**
 * The serious violations of the page as it is now. It has to be opened with `bypassCSP`.
 *
 * @param {import("playwright-core").Page} page
 */
export async function violations(page) {
  await page.addScriptTag({ path: axe }).catch(() => {});
  return page.evaluate(async () => {
    const { violations } = await /** @type {any} */ (window).axe.run();
    return violations
      .filter((/** @type {any} */ { impact }) => impact === "serious" || impact === "critical")
      .map(
        (/** @type {any} */ { id, nodes }) =>
          `${id}: ${nodes.map((/** @type {any} */ n) => n.html).join(" ")}`,
      );
  });
}
