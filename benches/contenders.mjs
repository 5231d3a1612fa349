// The contenders: native Luau in a process, ours in a Node process, and those that run in the page or in its workers.

import { fork, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";
import { folder, root } from "./bundle.mjs";

/** @typedef {import("./hosts/work.mjs").Request} Request @typedef {import("./hosts/work.mjs").Answer} Answer */

/**
 * A contender.
 *
 * @typedef {object} Contender
 * @property {string} name
 * @property {"luau" | "lua"} language
 * @property {(request: Request) => Promise<Answer>} ask
 * @property {() => void | Promise<void>} end ends its process, worker or page; the next request starts another
 */

/** The maximum time until an answer, in milliseconds. */
const TIMEOUT = 20_000;

/**
 * Creates native Luau, which is the program of crates/bench-native.
 *
 * @returns {Contender}
 */
export function native() {
  const program = join(
    root,
    "target/release",
    process.platform === "win32" ? "bench-native.exe" : "bench-native",
  );
  /** @type {import("node:child_process").ChildProcess | undefined} */
  let child;
  /** @type {AsyncIterator<string> | undefined} */
  let lines;
  return {
    name: "native",
    language: "luau",
    async ask(request) {
      if (child === undefined || lines === undefined) {
        child = spawn(program, { stdio: ["pipe", "pipe", "inherit"] });
        lines = createInterface(/** @type {import("node:stream").Readable} */ (child.stdout))[
          Symbol.asyncIterator
        ]();
      }
      if ("close" in request) {
        return { ready: true };
      }
      const line = "load" in request ? { load: request.load } : request;
      child.stdin?.write(`${JSON.stringify(line)}\n`);
      const { value, done } = await lines.next();
      return done ? { error: "the program ended" } : answerOf(JSON.parse(value));
    },
    end() {
      child?.stdin?.end();
      child = undefined;
      lines = undefined;
    },
  };
}

/**
 * Converts an answer of the program to the form of the other hosts' answers.
 *
 * @param {"ready" | { done: { ms: number, value: string } } | { error: string }} answer
 * @returns {Answer}
 */
function answerOf(answer) {
  if (answer === "ready") {
    return { ready: true };
  }
  return "done" in answer ? answer.done : answer;
}

/**
 * Creates ours in a Node process.
 *
 * @param {string} name
 * @param {string} bundle its folder
 * @returns {Contender}
 */
export function inNode(name, bundle) {
  /** @type {import("node:child_process").ChildProcess | undefined} */
  let child;
  const end = () => {
    child?.kill();
    child = undefined;
  };
  return {
    name,
    language: "luau",
    ask(request) {
      child ??= fork(fileURLToPath(new URL("hosts/process.mjs", import.meta.url)), [
        pathToFileURL(join(folder, bundle, "peer.js")).href,
      ]);
      const asked = child;
      return new Promise((resolve) => {
        const timer = setTimeout(() => {
          end();
          resolve({ error: `no answer in ${TIMEOUT / 1_000} s` });
        }, TIMEOUT);
        asked.once("message", (answer) => {
          clearTimeout(timer);
          resolve(/** @type {Answer} */ (answer));
        });
        asked.send(request);
      });
    },
    end,
  };
}

/**
 * Creates a contender in a worker of the page.
 *
 * @param {string} name
 * @param {import("./browser.mjs").Page} page
 * @param {string} [bundle] its folder
 * @returns {Contender}
 */
export function inWorker(name, page, bundle = name) {
  const url = `/target/bench/${bundle}/peer.js`;
  return {
    name,
    language: name === "wasmoon" || name === "fengari" ? "lua" : "luau",
    ask: (request) =>
      page.evaluate(
        ([url, request, timeout]) => /** @type {any} */ (window).bench.askWorker(url, request, timeout),
        /** @type {const} */ ([url, request, TIMEOUT]),
      ),
    end: () => page.evaluate((url) => /** @type {any} */ (window).bench.endWorker(url), url),
  };
}

/**
 * Creates a contender in a page of its own, which is reloaded for each workload. For peers that cannot run in workers, or not twice in a
 * page.
 *
 * @param {string} name
 * @param {import("./browser.mjs").Browser} browser
 * @param {string} address of the page
 * @returns {Contender}
 */
export function inOwnPage(name, browser, address) {
  const url = `/target/bench/${name}/peer.js`;
  /** @type {import("./browser.mjs").Page | undefined} */
  let page;
  const end = async () => {
    const ended = page;
    page = undefined;
    await ended?.close();
  };
  return {
    name,
    language: "luau",
    async ask(request) {
      if ("close" in request) {
        return { ready: true };
      }
      page ??= await browser.newPage();
      if ("load" in request) {
        await page.goto(address);
      }
      /** @type {NodeJS.Timeout | undefined} */
      let timer;
      const late = new Promise((resolve) => {
        timer = setTimeout(async () => {
          await end();
          resolve({ error: `no answer in ${TIMEOUT / 1_000} s` });
        }, TIMEOUT);
      });
      const asked = page.evaluate(
        ([url, request]) => /** @type {any} */ (window).bench.askPage(url, request),
        /** @type {const} */ ([url, request]),
      );
      const answer = await Promise.race([asked, late]).catch((error) => ({ error: String(error) }));
      clearTimeout(timer);
      return answer;
    },
    end,
  };
}

/**
 * Creates ours in the page itself, with this time slice.
 *
 * @param {string} name
 * @param {import("./browser.mjs").Page} page
 * @param {string} bundle its folder
 * @param {number | undefined} timeSlice in milliseconds; off if there is none
 * @returns {Contender}
 */
export function inPage(name, page, bundle, timeSlice) {
  const url = `/target/bench/${bundle}/peer.js`;
  return {
    name,
    language: "luau",
    ask: (request) =>
      page.evaluate(
        ([url, request]) => /** @type {any} */ (window).bench.askPage(url, request),
        /** @type {const} */ ([
          url,
          "load" in request && timeSlice !== undefined ? { ...request, timeSlice } : request,
        ]),
      ),
    end: () => {},
  };
}
