// Players run programs in a realm that may crash or hang. That is a fault of the program, and the next one gets a new
// realm.

import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { launchBrowser } from "../server/browser.mjs";

/** @typedef {import("./program.mjs").Program} Program */
/** @typedef {import("./realm.mjs").Verdict} Verdict */

/** @typedef {{ play: (program: Program) => Promise<Verdict>, close: () => Promise<void> }} Player */

/**
 * @param {string} where `node`, or for Chromium `page` or `worker`
 * @param {string} server the host and the port of the test server
 * @returns {Player}
 */
export function makePlayer(where, server) {
  return where === "node" ? new NodePlayer(server) : new PagePlayer(server, where === "worker");
}

/** The time limit of a program, in milliseconds. This only catches a hang: a busy machine must not reach it. */
const DEADLINE_MS = 180_000;

/** The number of programs per process, so that leftovers of earlier programs do not affect the results for long. */
const MAX_PROGRAMS = 200;

/** Plays programs in processes of Node. */
class NodePlayer {
  /** @type {import("node:child_process").ChildProcess | undefined} */
  #child;
  #played = 0;
  #server;

  /** @param {string} server the host and the port of the test server */
  constructor(server) {
    this.#server = server;
  }

  /** @param {Program} program @returns {Promise<Verdict>} */
  async play(program) {
    if (this.#played >= MAX_PROGRAMS) {
      await this.close();
    }
    if (this.#child === undefined) {
      const file = fileURLToPath(new URL("child.mjs", import.meta.url));
      this.#child = fork(file, [this.#server], {
        stdio: ["ignore", "ignore", "pipe", "ipc"],
        serialization: "json",
      });
      this.#played = 0;
    }
    this.#played++;
    const child = this.#child;
    let stderr = "";
    const collect = (/** @type {Buffer} */ data) => {
      stderr = (stderr + data).slice(-2_000);
    };
    child.stderr?.on("data", collect);
    const aborter = new AbortController();
    const { signal } = aborter;
    child.send(program);
    try {
      return await Promise.race([
        once(child, "message", { signal }).then(([verdict]) => verdict),
        once(child, "exit", { signal }).then(([code, name]) => {
          this.#child = undefined;
          return {
            faults: [`the process ended with ${code ?? name}: ${stderr}`],
            outcomes: {},
            longestMs: 0,
          };
        }),
        new Promise((resolve) => {
          const timer = setTimeout(() => {
            void this.close();
            resolve({ faults: ["the process hangs"], outcomes: {}, longestMs: DEADLINE_MS });
          }, DEADLINE_MS);
          signal.addEventListener("abort", () => clearTimeout(timer));
        }),
      ]);
    } finally {
      child.stderr?.off("data", collect);
      aborter.abort();
    }
  }

  async close() {
    this.#child?.kill("SIGKILL");
    this.#child = undefined;
  }
}

/** Plays programs in a page of Chromium, or in workers of it. */
class PagePlayer {
  /** @type {import("playwright-core").Browser | undefined} */
  #browser;
  /** @type {import("playwright-core").Page | undefined} */
  #page;
  #played = 0;
  #server;
  #isForWorker;

  /**
   * @param {string} server the host and the port of the test server
   * @param {boolean} isForWorker
   */
  constructor(server, isForWorker) {
    this.#server = server;
    this.#isForWorker = isForWorker;
  }

  async #open() {
    this.#browser ??= await launchBrowser();
    const page = await this.#browser.newPage();
    await page.goto(`http://${this.#server}/tests/fuzz/page.html`);
    await page.waitForFunction(() => "playProgram" in globalThis);
    this.#played = 0;
    return page;
  }

  /** @param {Program} program @returns {Promise<Verdict>} */
  async play(program) {
    if (this.#played >= MAX_PROGRAMS) {
      await this.#leave();
    }
    this.#page ??= await this.#open();
    this.#played++;
    const page = this.#page;
    let timer;
    try {
      return await Promise.race([
        page.evaluate(
          ([program, isForWorker]) => /** @type {any} */ (globalThis).playProgram(program, isForWorker),
          /** @type {const} */ ([program, this.#isForWorker]),
        ),
        new Promise((_, reject) => page.once("crash", () => reject(new Error("the tab crashed")))),
        new Promise((_, reject) => {
          timer = setTimeout(() => reject(new Error("the page hangs")), DEADLINE_MS);
        }),
      ]);
    } catch (error) {
      await this.#leave();
      return { faults: [String(error)], outcomes: {}, longestMs: 0 };
    } finally {
      clearTimeout(timer);
      page.removeAllListeners("crash");
    }
  }

  async #leave() {
    await this.#page?.close();
    this.#page = undefined;
  }

  async close() {
    await this.#browser?.close();
  }
}
