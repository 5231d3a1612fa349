// Scripts that try to do harm. None achieves more than its own end, and everything works afterwards.
//
// The first lines of each file under `hostile` declare the expected outcome and options:
//
// - `--! expect finished`, or the kind of its error: `error` (meaning kind `runtime`), `memory`, `timeout`,
//   `cancelled`, `disposed`, `syntax`; optionally followed by a part of the message in quotes;
// - `--! errors N` and `--! warnings N`: the number of unhandled errors and of warnings; none by default, any number
//   for `*`;
// - `--! globalScope vm`: everything that its VM runs shares globals;
// - `--! memoryLimit N`, `--! timeLimit N`, `--! timeSlice N`: options of its VM; `--! queue N`: the number of messages
//   that are kept;
// - `--! memoryLeft N`: the number of additional bytes that may be in use afterwards, two million by default, because
//   the stack on which mlua keeps Rust's values never shrinks;
// - `--! module NAME SOURCE`: a module that it can require; one whose name begins with `later` arrives by a promise;
// - `--! also in node worker`: it also runs in a process of Node, and in a `LuauWorker`, with the same outcome;
// - `--! terminated`: it runs in a worker, which is terminated while the script runs;
// - `--! exclusive`: it needs so much memory that no other such script may run at the same time;
// - `--! tier full`: it is left out of the default tier because it takes long;
// - `--! not in ENGINE: REASON`: it is skipped there.
//
// The scripts run on two pages in parallel, so no test may limit how long something takes. The global `FULL` tells
// scripts if they should try their full size.
//
// `hostile/host.mjs` has the host functions that the scripts can call, and `hostile/check.luau` the code that must work
// afterwards. Next to each script there is a VM that must not notice any of it.
//
// Tier: default; --full adds memory bombs at full size and scripts that take long.
// Engines: all with --full.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { ask, collectComplaints, engine, pageForTests, unexpected } from "../server/browser.mjs";
import { isFull } from "../server/tier.mjs";
import { ScriptProcess } from "./hostile/script-process.mjs";

const folder = fileURLToPath(new URL("hostile/", import.meta.url));
const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
  .filter((file) => /[\\/].*\.luau$/.test(file))
  .sort();

/** The number of pages that run scripts at the same time. WebDriver drives one window at a time. */
const PAGES = engine === "Chromium" ? 2 : 1;

/**
 * The longest run of a script with all checks afterwards, in milliseconds. This only catches a page that hangs: a busy
 * machine must not reach it.
 */
const DEADLINE_MS = 300_000;

let [tried, survived] = [0, 0];

/** @type {(text: string) => string} */
let withAddresses;

/** The pages that run no script. @type {import("playwright-core").Page[]} */
const idlePages = [];

/** The Node processes that run no script. @type {ScriptProcess[]} */
const idleProcesses = [];

const context = pageForTests("/tests/luau/hostile/page.html", async (context) => {
  const ports = await ask(context, "ports");
  withAddresses = (text) =>
    text
      .replaceAll("{SERVER}", `127.0.0.1:${context.port}`)
      .replaceAll("{SILENT}", ports.silent)
      .replaceAll("{CLOSED}", ports.closed)
      .replaceAll("{TIER}", isFull ? "full" : "default");
  await isReady(context.page);
  idlePages.push(context.page);
  while (idlePages.length < PAGES) {
    idlePages.push(await openPage());
  }
});

after(() => {
  for (const process of idleProcesses) {
    process.close();
  }
  console.log(`hostile: ${tried} scripts tried, ${survived} survived`);
});

/** @param {import("playwright-core").Page} page */
async function isReady(page) {
  await page.waitForFunction(() => "runHostile" in globalThis);
}

/** Opens another page like the first one. */
async function openPage() {
  const page = await context.browser.newPage();
  collectComplaints(page, context.complaints);
  await page.goto(context.page.url());
  await isReady(page);
  return page;
}

/** The scripts that wait for a page, in order. @type {{ isExclusive: boolean, start: () => void }[]} */
const waiting = [];
let isExclusiveRunning = false;

/** Starts the scripts that can start now. */
function startWaiting() {
  while (idlePages.length > 0) {
    const index = waiting.findIndex(({ isExclusive }) => !(isExclusive && isExclusiveRunning));
    const [next] = index < 0 ? [] : waiting.splice(index, 1);
    if (next === undefined) {
      return;
    }
    isExclusiveRunning ||= next.isExclusive;
    next.start();
  }
}

/**
 * Calls a function with a page as soon as one is free, and replaces the page with the one that it returns.
 *
 * @param {boolean} isExclusive true if no other such function may run at the same time
 * @param {(page: import("playwright-core").Page) => Promise<import("playwright-core").Page>} run
 */
async function withPage(isExclusive, run) {
  /** @type {Promise<import("playwright-core").Page>} */
  const free = new Promise((resolve) => {
    waiting.push({ isExclusive, start: () => resolve(/** @type {any} */ (idlePages.pop())) });
  });
  startWaiting();
  const page = await free;
  try {
    idlePages.push(await run(page));
  } finally {
    isExclusiveRunning &&= !isExclusive;
    startWaiting();
  }
}

/**
 * Runs a script. If it takes its page down, the next script gets a new page.
 *
 * @param {import("./hostile/realm.mjs").Script} script
 * @param {"page" | "worker"} where
 * @param {boolean} isExclusive
 * @param {boolean} [canRetry] true if the script may run on a new page when there is no memory to start
 * @returns {Promise<import("./hostile/realm.mjs").Told>}
 */
async function runInBrowser(script, where, isExclusive, canRetry = true) {
  /** @type {import("./hostile/realm.mjs").Told | undefined} */
  let told;
  let failure;
  await withPage(isExclusive, async (page) => {
    let timer;
    try {
      told = await Promise.race([
        page.evaluate(
          ([script, where]) => /** @type {any} */ (globalThis).runHostile(script, where),
          /** @type {const} */ ([script, where]),
        ),
        new Promise((_, reject) => {
          timer = setTimeout(() => reject(new Error("the page does not answer any more")), DEADLINE_MS);
        }),
      ]);
      return page;
    } catch (error) {
      failure = error;
      const next = await openPage();
      if (context.page === page) {
        context.page = next;
      }
      await page.close();
      return next;
    } finally {
      clearTimeout(timer);
    }
  });
  // The memory of ended instances counts against the address space of the renderer until the engine collects it. After
  // some hundred instances there may be no room for another. The script has not started then, and the page was
  // replaced.
  if (canRetry && String(failure).includes("Cannot allocate Wasm memory")) {
    return runInBrowser(script, where, isExclusive, false);
  }
  assert(told, failure);
  return told;
}

/**
 * Runs a script in a process of Node. It occupies a page meanwhile, because each takes a processor.
 *
 * @param {import("./hostile/realm.mjs").Script} script
 * @param {boolean} isExclusive
 */
async function runInNode(script, isExclusive) {
  /** @type {import("./hostile/realm.mjs").Told | undefined} */
  let told;
  await withPage(isExclusive, async (page) => {
    const process = idleProcesses.pop() ?? new ScriptProcess();
    told = await process.run(script, DEADLINE_MS);
    if (process.isAlive) {
      idleProcesses.push(process);
    }
    return page;
  });
  assert(told);
  return told;
}

// All of them start at once, and wait for a page.
describe("hostile scripts", { concurrency: 3 * files.length }, () => {
  for (const file of files) {
    const source = readFileSync(`${folder}${file}`, "utf8");
    test(file, (test) => tryScript(file, source, "page", test));
    const [, also = ""] = /^--! also in (.*)$/m.exec(source) ?? [];
    for (const where of /** @type {const} */ (["node", "worker"])) {
      // Node is the same next to every browser.
      if (also.includes(where) && (where === "worker" || engine === "Chromium")) {
        test(`${file} in ${where}`, (test) => tryScript(file, source, where, test));
      }
    }
  }
});

/**
 * Returns a script on one line, with its own scope for locals. It can precede another script without changing that
 * script's line numbers.
 *
 * @param {string} source
 */
const onOneLine = (source) => `do ${source.replace(/--.*$/gm, "").replace(/\s+/g, " ")} end `;

/**
 * @param {string} file
 * @param {string} source
 * @param {"page" | "worker" | "node"} where
 * @param {import("node:test").TestContext} test
 */
async function tryScript(file, source, where, test) {
  /** @param {string} name */
  const directives = (name) =>
    [...source.matchAll(new RegExp(`^--! ${name} (.*)$`, "gm"))].map((found) => found[1] ?? "");
  /** @param {string} name */
  const has = (name) => new RegExp(`^--! ${name}$`, "m").test(source);
  /** @param {string} name */
  const number = (name) => directives(name).map(Number)[0];
  /** @param {string} name @param {unknown[]} list */
  const isCount = (name, list) =>
    assert(
      (directives(name)[0] ?? "0") === "*" || list.length === (number(name) ?? 0),
      `${name}: ${list.join("\n")}`,
    );

  const exception = directives("not in").find((line) => line.startsWith(`${engine}: `));
  if (exception) {
    test.skip(exception);
    return;
  }
  if (has("tier full") && !isFull) {
    test.skip("part of --full");
    return;
  }

  const [expected] = directives("expect");
  assert(expected, "the file does not say what to expect");
  const [, kind, part] = expected.match(/^(\w+)(?: "(.*)")?$/) ?? [];
  assert(kind, `--! expect ${expected}`);

  tried += 1;
  const script = {
    name: file.replace(/^.*[\\/]|\.luau$/g, ""),
    source,
    prelude: onOneLine(withAddresses(readFileSync(`${folder}../prelude.luau`, "utf8"))),
    check: readFileSync(`${folder}check.luau`, "utf8"),
    modules: Object.fromEntries(
      directives("module").map((line) => [line.split(" ", 1)[0], line.replace(/^\S+ /, "")]),
    ),
    options: {
      globalScope: /** @type {"run" | "vm" | undefined} */ (directives("globalScope")[0]),
      memoryLimit: number("memoryLimit"),
      timeLimit: number("timeLimit"),
      timeSlice: number("timeSlice"),
    },
    queue: number("queue"),
    memoryLeft: number("memoryLeft"),
    isTerminated: has("terminated"),
  };
  const isExclusive = has("exclusive");
  const told = await (where === "node"
    ? runInNode(script, isExclusive)
    : runInBrowser(script, where, isExclusive));
  test.diagnostic(`${Math.round(told.milliseconds)} ms`);
  assert.equal(told.faults.join("\n"), "");
  survived += 1;
  assert.equal(told.outcome, kind === "error" ? "runtime" : kind, told.message);
  assert(told.message.includes(part ?? ""), told.message);
  isCount("errors", told.errors);
  isCount("warnings", told.warnings);
}

test("the browser never reported a call of a dropped closure", () => {
  const expected = /WebSocket|closed before the connection is established|callback|!throw/;
  assert.deepEqual(
    unexpected(context.complaints).filter((text) => !expected.test(text)),
    [],
  );
});
