// Runs axe-core on a page.

import { createRequire } from "node:module";

/** @typedef {import("playwright-core").Page} Page */

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/** The rules whose outcome depends on the theme. */
const COLOR_RULES = ["color-contrast", "link-in-text-block"];

/**
 * Returns the serious violations of the page as it is now. The page needs `bypassCSP`.
 *
 * @param {Page} page
 * @param {string[]} [rules] all by default
 * @returns {Promise<string[]>}
 */
export async function violations(page, rules) {
  // Axe fails if an element is replaced meanwhile: the page finishes what it has put off first. The documentation puts nothing off.
  await page.waitForFunction(
    () => !document.body.dataset.pending && document.querySelector(".output-list[data-pending]") === null,
    undefined,
    { timeout: 60_000 },
  );
  // In the middle of a transition axe sees a color that nobody chose. From now on none begins, and those that run end at once.
  await page.emulateMedia({ reducedMotion: "reduce" });
  if (!(await page.evaluate(() => "axe" in window))) {
    await page.addScriptTag({ path: axe });
  }
  return page.evaluate(async (rules) => {
    for (const animation of document.getAnimations()) {
      // An endless one, such as the blinking of a cursor, has no end to go to.
      if (animation.effect?.getComputedTiming().endTime === Number.POSITIVE_INFINITY) {
        animation.cancel();
      } else {
        animation.finish();
      }
    }
    const options = rules === undefined ? {} : { runOnly: { type: "rule", values: rules } };
    const { violations } = await /** @type {any} */ (window).axe.run(options);
    return violations
      .filter((/** @type {any} */ { impact }) => impact === "serious" || impact === "critical")
      .map(
        (/** @type {any} */ { id, nodes }) =>
          `${id}: ${nodes.map((/** @type {any} */ n) => n.html).join(" ")}`,
      );
  }, rules);
}

/**
 * Returns the serious violations of the page in the light and in the dark theme. The page must follow the theme of the system. Themes
 * differ in nothing but their colors, so that the rules about these are enough for the second one.
 *
 * @param {Page} page
 */
export async function violationsInBothThemes(page) {
  await page.emulateMedia({ colorScheme: "dark" });
  const dark = await violations(page, COLOR_RULES);
  await page.emulateMedia({ colorScheme: "light" });
  const light = await violations(page);
  return { dark, light };
}

/** The answer of {@link violationsInBothThemes} where there is nothing wrong. */
export const NO_VIOLATIONS = { dark: [], light: [] };
