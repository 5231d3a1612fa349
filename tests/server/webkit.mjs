// Drives WebKitGTK with Selenium. Classic WebDriver has no console events and only supports JSON, so this file adds
// both: pages report their complaints with each result, and results are sent as text.

import { Builder } from "selenium-webdriver";
// @ts-expect-error: the types lack the path that Node needs.
import { DriverService } from "selenium-webdriver/remote/index.js";

/** The longest call into a page, in milliseconds. The tests have their own limits, which are shorter. */
const SCRIPT_MS = 600_000;

/** The longest wait for a condition in a page, in milliseconds. */
const WAIT_MS = 30_000;

/**
 * Starts the driver, which starts a browser.
 *
 * @param {string} program
 * @returns {Promise<import("./engines.mjs").Browser>}
 */
export async function launchWebKit(program) {
  const service = new DriverService.Builder(program).setLoopback(true).build();
  const address = await service.start();
  const driver = await new Builder().forBrowser("MiniBrowser").usingServer(address).build();
  await driver.manage().setTimeouts({ script: SCRIPT_MS });
  return {
    newPage: async () => {
      // In a window, because a background tab draws no frames.
      await driver.switchTo().newWindow("window");
      return /** @type {any} */ (pageOf(driver, await driver.getWindowHandle()));
    },
    async close() {
      await driver.quit();
      await service.kill();
    },
  };
}

/**
 * @param {import("selenium-webdriver").WebDriver} driver
 * @param {string} handle of the window
 */
function pageOf(driver, handle) {
  /** @type {((error: Error) => void)[]} */
  const listeners = [];
  let address = "about:blank";

  // A command goes to the window that was switched to last.
  const switchToPage = () => driver.switchTo().window(handle);

  /**
   * @param {string | Function} body
   * @param {unknown} [argument]
   */
  const evaluate = async (body, argument) => {
    await switchToPage();
    const call = typeof body === "function" ? `(${body})(${JSON.stringify(argument)})` : body;
    const text = await driver.executeAsyncScript(runInPage, call);
    const { value, error, complaints } = revive(JSON.parse(/** @type {string} */ (text)));
    for (const complaint of complaints) {
      for (const listener of listeners) {
        listener(new Error(complaint));
      }
    }
    if (error !== undefined) {
      throw new Error(error);
    }
    return value;
  };

  return {
    evaluate,
    async goto(/** @type {string} */ url) {
      address = url;
      await switchToPage();
      await driver.get(url);
    },
    url: () => address,
    waitForFunction: (/** @type {Function} */ condition) => driver.wait(() => evaluate(condition), WAIT_MS),
    on(/** @type {string} */ event, /** @type {(error: Error) => void} */ listener) {
      // All complaints arrive as this event.
      if (event === "pageerror") {
        listeners.push(listener);
      }
    },
    mouse: {
      async click(/** @type {number} */ x, /** @type {number} */ y) {
        await switchToPage();
        await driver.actions().move({ x, y }).click().perform();
      },
    },
    async close() {
      await switchToPage();
      await driver.close();
    },
  };
}

/**
 * Evaluates an expression in the page. The result is text, together with the page's complaints since the last call.
 *
 * @param {string} call
 * @param {(text: string) => void} done
 */
async function runInPage(call, done) {
  const scope = /** @type {any} */ (globalThis);
  if (scope.complaints === undefined) {
    /** @type {string[]} */
    const complaints = [];
    scope.complaints = complaints;
    addEventListener("error", (event) => complaints.push(String(event.error ?? event.message)));
    addEventListener("unhandledrejection", (event) => complaints.push(String(event.reason)));
    for (const name of /** @type {const} */ (["error", "warn"])) {
      const original = console[name];
      console[name] = (...values) => {
        complaints.push(values.join(" "));
        original(...values);
      };
    }
  }
  const finish = (/** @type {object} */ outcome) =>
    done(
      JSON.stringify({ ...outcome, complaints: scope.complaints.splice(0) }, (_, value) =>
        value === undefined || (typeof value === "number" && !Number.isFinite(value))
          ? { notJson: String(value) }
          : value,
      ),
    );
  try {
    finish({ value: await scope.eval(call) });
  } catch (error) {
    finish({ error: String(error) });
  }
}

/** @type {Record<string, undefined | number>} */
const NOT_JSON = { undefined, NaN: Number.NaN, Infinity, "-Infinity": -Infinity };

/**
 * Restores values that JSON cannot represent. A reviver of `JSON.parse` could not, because it removes values that it
 * sets to undefined.
 *
 * @param {any} value
 * @returns {any}
 */
function revive(value) {
  if (typeof value !== "object" || value === null) {
    return value;
  }
  if ("notJson" in value) {
    return NOT_JSON[value.notJson];
  }
  for (const key of Object.keys(value)) {
    value[key] = revive(value[key]);
  }
  return value;
}
