// Starts the browsers of the tests and connects to them, each with the library that supports it: Playwright for
// Chromium, Puppeteer over WebDriver BiDi for Firefox (Playwright only drives its own build), and Selenium for
// WebKitGTK (which only speaks classic WebDriver). Each library is imported only when needed, because an import takes
// half a second.

import { once } from "node:events";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** @typedef {import("./host.mjs").BrowserInfo} BrowserInfo */

/**
 * A browser for one test file. Tests that run in every engine only use these methods, and of its pages only those that
 * Playwright, Puppeteer and webkit.mjs have in common.
 *
 * @typedef {object} Browser
 * @property {() => Promise<import("playwright-core").Page>} newPage opens a page that draws frames even while others are open
 * @property {() => Promise<void>} close
 *
 * @typedef {object} Engine
 * @property {string} variable the environment variable that names the program
 * @property {string[]} programs the names of the program on PATH
 * @property {(browser: BrowserInfo, args: string[]) => Promise<Browser>} launch starts a browser for one file
 * @property {(browser: BrowserInfo) => Promise<{ endpoint: string, close: () => Promise<unknown> }>} [serve] starts a browser
 * for all files
 * @property {(endpoint: string, browser: BrowserInfo) => Promise<Browser>} [connect] connects a file to the shared browser
 */

/** The arguments of Chromium. */
export const CHROMIUM_ARGS = [
  // Required when running as root.
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
];

/** Disables the timeout of Puppeteer's calls into a page, because the tests have their own limits. */
const NO_TIMEOUT = 0;

/** The test host ends its browsers itself. */
const NO_SIGNALS = { handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false };

/** @type {Record<string, Engine>} */
export const ENGINES = {
  Chromium: {
    variable: "CHROMIUM",
    programs: ["chromium", "chromium-browser", "google-chrome"],
    async launch({ executable }, args) {
      const { chromium } = await import("playwright-core");
      return chromium.launch({ executablePath: executable, args: [...CHROMIUM_ARGS, ...args] });
    },
    async serve({ executable }) {
      const { chromium } = await import("playwright-core");
      const options = { executablePath: executable, args: CHROMIUM_ARGS, host: "127.0.0.1", ...NO_SIGNALS };
      const server = await chromium.launchServer(options);
      return { endpoint: server.wsEndpoint(), close: () => server.close() };
    },
    // Each connection sees only its own contexts. They close with it, even if the process of the file is killed.
    async connect(endpoint) {
      const { chromium } = await import("playwright-core");
      return chromium.connect(endpoint);
    },
  },

  Firefox: {
    variable: "FIREFOX",
    programs: ["firefox", "firefox-esr"],
    async launch(browser) {
      const launched = await launchFirefox(browser);
      return fileBrowser(launched, () => launched.close());
    },
    async serve(browser) {
      const launched = await launchFirefox(browser);
      const process = launched.process();
      const endpoint = launched.wsEndpoint();
      await launched.disconnect();
      return {
        endpoint,
        async close() {
          const ended = process && once(process, "exit");
          await (await connectToFirefox(endpoint)).close();
          await ended;
        },
      };
    },
    async connect(endpoint, browser) {
      let connected;
      try {
        connected = await connectToFirefox(endpoint);
      } catch (error) {
        // Firefox allows only one BiDi session. It is taken while another file runs, and stays taken if that file was
        // killed before it could end the session. So this file uses its own browser.
        console.error(`The shared Firefox is not available, so another one is started: ${error}`);
        return this.launch(browser, []);
      }
      return fileBrowser(connected, () => connected.disconnect());
    },
  },

  WebKitGTK: {
    variable: "WEBKIT_DRIVER",
    programs: ["WebKitWebDriver"],
    // Its driver starts a browser for each session, so there is nothing to share.
    async launch({ driver }) {
      const { launchWebKit } = await import("./webkit.mjs");
      return launchWebKit(/** @type {string} */ (driver));
    },
  },
};

/** @param {BrowserInfo} browser */
async function launchFirefox({ executable }) {
  const { default: puppeteer } = await import("puppeteer-core");
  return puppeteer.launch({
    browser: "firefox",
    executablePath: executable,
    headless: true,
    protocolTimeout: NO_TIMEOUT,
    ...NO_SIGNALS,
  });
}

/** @param {string} endpoint */
async function connectToFirefox(endpoint) {
  const { default: puppeteer } = await import("puppeteer-core");
  return puppeteer.connect({
    browserWSEndpoint: endpoint,
    protocol: "webDriverBiDi",
    protocolTimeout: NO_TIMEOUT,
  });
}

/**
 * Creates a context in Firefox for one file.
 *
 * @param {import("puppeteer-core").Browser} browser
 * @param {() => Promise<unknown>} leave
 * @returns {Promise<Browser>}
 */
async function fileBrowser(browser, leave) {
  const context = await browser.createBrowserContext();
  return {
    async newPage() {
      // In a window, because a background tab draws only one frame per second.
      const page = await context.newPage({ type: "window" });
      await page.evaluateOnNewDocument(logText);
      return /** @type {any} */ (page);
    },
    async close() {
      await context.close();
      await leave();
    },
  };
}

/** Makes the console of a page log text only, because Puppeteer cannot show errors. */
function logText() {
  for (const name of /** @type {const} */ (["error", "warn"])) {
    const original = console[name];
    console[name] = (...values) => original(values.join(" "));
  }
}

/**
 * Finds the browser that the environment names, or otherwise the one on PATH.
 *
 * @param {string} name of the engine
 * @returns {BrowserInfo}
 */
export function findBrowser(name) {
  const { variable, programs } = engineNamed(name);
  const path = process.env[variable] || findOnPath(programs);
  if (!path) {
    throw new Error(
      `no browser found: set ${variable} to the path of ${name}, or install ${programs.join(" or ")} on PATH`,
    );
  }
  return name === "WebKitGTK" ? { engine: name, driver: path } : { engine: name, executable: path };
}

/**
 * @param {string} name
 * @returns {Engine}
 */
export function engineNamed(name) {
  const engine = ENGINES[name];
  if (engine === undefined) {
    throw new Error(`unknown engine: ${name}; there are ${Object.keys(ENGINES).join(", ")}`);
  }
  return engine;
}

/** @param {string[]} names */
function findOnPath(names) {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

/** @param {string} file */
function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
