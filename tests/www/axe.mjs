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
  // Axe fails if an element is replaced meanwhile, so the page finishes its delayed work first. The documentation has
  // none.
  await page.waitForFunction(
    () => !document.body.dataset.pending && document.querySelector(".output-list[data-pending]") === null,
    undefined,
    { timeout: 60_000 },
  );
  // In the middle of a transition axe would see an intermediate color. From here on no transition starts, and running
  // ones end at once.
  await page.emulateMedia({ reducedMotion: "reduce" });
  if (!(await page.evaluate(() => "axe" in window))) {
    await page.addScriptTag({ path: axe });
  }
  return page.evaluate(async (rules) => {
    for (const animation of document.getAnimations()) {
      // An endless animation, such as a blinking cursor, has no end to go to.
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
 * Returns the serious violations of the page in the light and in the dark theme. The page must follow the theme of the
 * system. Only colors differ between themes, so the second one is only checked for rules about colors.
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

/** The result of {@link violationsInBothThemes} if there are no violations. */
export const NO_VIOLATIONS = { dark: [], light: [] };
