// A browser by WebDriver (https://www.w3.org/TR/webdriver2/), for those that Playwright cannot drive as they are: as much of
// Playwright's interface as the tests use that run in all engines.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** @typedef {import("playwright-core").Browser} Browser */
/** @typedef {import("playwright-core").Page} Page */
/** @typedef {(method: "GET" | "POST" | "DELETE", path: string, body?: object) => Promise<any>} Command */

/** For how long a driver may take to start, and a page to become what is waited for, in milliseconds. */
const PATIENCE = 30_000;

/** For how long a call in a page may take, in milliseconds: each test ends sooner by itself. */
const LONGEST_CALL = 600_000;

/**
 * Starts a driver, which starts the browser that goes with it.
 *
 * @param {string} program the driver
 * @param {object} capabilities what the browser has to be like; drivers know theirs, and leave those of others
 * @returns {Promise<Browser>}
 */
export async function launchByDriver(program, capabilities) {
  const port = await freePort();
  // What a browser says of itself would stand between the results.
  const driver = spawn(program, [`--port=${port}`], { stdio: "ignore" });
  const ended = once(driver, "exit");
  const end = async () => {
    driver.kill();
    await ended;
  };
  try {
    const command = commandsTo(`http://127.0.0.1:${port}`);
    await Promise.race([listening(command), ended]);
    const { sessionId } = await command("POST", "/session", { capabilities: { alwaysMatch: capabilities } });
    return browserOf(commandsTo(`http://127.0.0.1:${port}/session/${sessionId}`), end);
  } catch (error) {
    await end();
    throw error;
  }
}

/** @param {Command} command */
async function listening(command) {
  for (const until = Date.now() + PATIENCE; ; await sleep(50)) {
    try {
      return await command("GET", "/status");
    } catch (error) {
      if (Date.now() > until) {
        throw error;
      }
    }
  }
}

/**
 * @param {string} address
 * @returns {Command}
 */
function commandsTo(address) {
  return async (method, path, body) => {
    const headers = { "Content-Type": "application/json" };
    const response = await fetch(`${address}${path}`, {
      method,
      headers,
      body: body && JSON.stringify(body),
    });
    const { value } = /** @type {any} */ (await response.json());
    if (!response.ok) {
      throw new Error(`${method} ${path}: ${value.error}: ${value.message}`);
    }
    return value;
  };
}

/**
 * @param {Command} command of the session
 * @param {() => Promise<void>} end
 * @returns {Promise<Browser>}
 */
async function browserOf(command, end) {
  await command("POST", "/timeouts", { script: LONGEST_CALL });
  let first = await command("GET", "/window");
  const browser = {
    async newPage() {
      // A window of its own: a tab behind another one draws no frames.
      const handle = first ?? (await command("POST", "/window/new", { type: "window" })).handle;
      first = undefined;
      return pageOf(command, handle, /** @type {any} */ (browser));
    },
    async close() {
      await command("DELETE", "").catch(() => {});
      await end();
    },
  };
  return /** @type {any} */ (browser);
}

/**
 * @param {Command} command
 * @param {string} handle of the window
 * @param {Browser} browser
 * @returns {Page}
 */
function pageOf(command, handle, browser) {
  /** @type {((error: Error) => void)[]} */
  const listeners = [];
  let address = "about:blank";

  /** Each command is to the window that was switched to last. */
  const inWindow = async (/** @type {string} */ path, /** @type {object} */ body) => {
    await command("POST", "/window", { handle });
    return command("POST", path, body);
  };

  /**
   * @param {string | Function} body
   * @param {unknown} [argument]
   */
  const evaluate = async (body, argument) => {
    const { value, error, complaints } = fromText(
      // The script of a command has a global object of its own in Firefox: what pages do is to be done in the page's.
      await inWindow("/execute/async", {
        script: "const [text, done] = arguments; window.eval(text).then(done);",
        args: [expressionOf(body, argument)],
      }),
    );
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

  const page = {
    evaluate,
    async goto(/** @type {string} */ url) {
      address = url;
      await inWindow("/url", { url });
    },
    url: () => address,
    async waitForFunction(/** @type {Function} */ condition) {
      for (const until = Date.now() + PATIENCE; !(await evaluate(condition)); await sleep(20)) {
        if (Date.now() > until) {
          throw new Error(`not within ${PATIENCE} ms: ${condition}`);
        }
      }
    },
    on(/** @type {string} */ event, /** @type {(error: Error) => void} */ listener) {
      // All that a page complains of comes by this one.
      if (event === "pageerror") {
        listeners.push(listener);
      }
    },
    mouse: {
      async click(/** @type {number} */ x, /** @type {number} */ y) {
        const press = ["pointerDown", "pointerUp"].map((type) => ({ type, button: 0 }));
        const actions = [{ type: "pointerMove", x, y }, ...press];
        await inWindow("/actions", { actions: [{ type: "pointer", id: "mouse", actions }] });
      },
    },
    context: () => ({ browser: () => browser }),
    async close() {
      await command("POST", "/window", { handle });
      await command("DELETE", "/window");
    },
  };
  return /** @type {any} */ (page);
}

/**
 * An expression that evaluates another one, or calls it with the argument if it is a function: a promise of the outcome and of
 * what the page complained of since the last time. All as text: what JSON has not is lost on the way through a driver.
 *
 * @param {string | Function} body
 * @param {unknown} argument
 */
function expressionOf(body, argument) {
  return `(async () => {
    if (globalThis.complaints === undefined) {
      const complaints = globalThis.complaints = [];
      addEventListener("error", (event) => complaints.push(String(event.error ?? event.message)));
      addEventListener("unhandledrejection", (event) => complaints.push(String(event.reason)));
      for (const name of ["error", "warn"]) {
        const before = console[name];
        console[name] = (...values) => {
          complaints.push(values.join(" "));
          before(...values);
        };
      }
    }
    const other = (value) => value === undefined || (typeof value === "number" && !Number.isFinite(value));
    const tell = (outcome) =>
      JSON.stringify({ ...outcome, complaints: globalThis.complaints.splice(0) }, (_, value) =>
        other(value) ? { other: String(value) } : value);
    try {
      const value = await (${body});
      return tell({ value: typeof value === "function" ? await value(${JSON.stringify(argument)}) : value });
    } catch (error) {
      return tell({ error: String(error) });
    }
  })()`;
}

/** The values that JSON has not, by their texts. */
const OTHERS = new Map([undefined, Number.NaN, Infinity, -Infinity].map((value) => [String(value), value]));

/**
 * What `expressionOf` told.
 *
 * @param {string} text
 * @returns {any}
 */
function fromText(text) {
  /** @type {(value: any) => any} */
  const revived = (value) => {
    if (typeof value !== "object" || value === null) {
      return value;
    }
    if (OTHERS.has(value.other)) {
      return OTHERS.get(value.other);
    }
    for (const key of Object.keys(value)) {
      value[key] = revived(value[key]);
    }
    return value;
  };
  return revived(JSON.parse(text));
}

/** @returns {Promise<number>} */
async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  server.close();
  await once(server, "close");
  return port;
}
