// The measurements in the page besides the VM's workloads: sockets and the runtime.

import { inTurns } from "./vm.mjs";

/** @typedef {Record<string, number[]>} Samples by contender */

/**
 * Calls a function of a bundle in the page.
 *
 * @param {import("./browser.mjs").Page} page
 * @param {string} bundle
 * @param {string[]} path
 * @param {unknown[]} args
 * @returns {Promise<number>}
 */
function call(page, bundle, path, args) {
  return page.evaluate(
    ([suite, path, args]) => /** @type {any} */ (window).bench.call(suite, path, args),
    /** @type {const} */ ([`/target/bench/${bundle}/peer.js`, path, args]),
  );
}

/**
 * Measures one operation for all contenders that support it. The warm-up run is not counted.
 *
 * @param {number} rounds
 * @param {Record<string, () => Promise<number>>} contenders
 * @returns {Promise<Samples>}
 */
async function interleaved(rounds, contenders) {
  /** @type {Samples} */
  const samples = {};
  for (let round = -1; round < rounds; round++) {
    for (const name of inTurns(Object.keys(contenders), round + 1)) {
      const figure = await /** @type {() => Promise<number>} */ (contenders[name])();
      if (round >= 0) {
        samples[name] ??= [];
        samples[name].push(figure);
      }
    }
  }
  return samples;
}

/**
 * Calls a function with a page of its own. Each sample makes a new VM, and a page has address space for about a hundred of them.
 *
 * @template Result
 * @param {() => Promise<import("./browser.mjs").Page>} newPage
 * @param {(page: import("./browser.mjs").Page) => Promise<Result>} measure
 * @returns {Promise<Result>}
 */
async function withPage(newPage, measure) {
  const page = await newPage();
  try {
    return await measure(page);
  } finally {
    await page.close();
  }
}

/**
 * Returns a contender for each build of ours.
 *
 * @param {string[]} builds
 * @param {(suite: string) => Promise<number>} measure
 */
function ofBuilds(builds, measure) {
  return Object.fromEntries(builds.map((name) => [name, () => measure(`${name}-suite`)]));
}

/** The socket measurements, with the number of messages and their size. */
export const SOCKETS = /** @type {const} */ ({
  "echo 32 B": ["echo", { size: 32, count: 300 }],
  "echo 64 KiB": ["echo", { size: 65_536, count: 100 }],
  "burst received": ["receive", { count: 4_000 }],
  "burst sent": ["send", { count: 4_000 }],
  "200 connections": ["connections", { connections: 200, count: 5 }],
});

/**
 * Measures sockets: microseconds per message, in our script and in plain JavaScript.
 *
 * @param {() => Promise<import("./browser.mjs").Page>} newPage
 * @param {number} rounds
 * @param {string[]} builds of ours
 * @param {string[]} [names] all by default
 * @returns {Promise<Record<string, Samples>>}
 */
export async function sockets(newPage, rounds, builds, names = Object.keys(SOCKETS)) {
  /** @type {Record<string, Samples>} */
  const result = {};
  for (const name of names) {
    const [what, load] = SOCKETS[/** @type {keyof typeof SOCKETS} */ (name)];
    // More rounds, because the difference is a few percent, and the browser and the network vary by more. But opening 200 connections takes
    // a browser five seconds.
    result[name] = await withPage(newPage, (page) =>
      interleaved(what === "connections" ? Math.min(rounds, 3) : rounds * 3, {
        ...ofBuilds(builds, (suite) => call(page, suite, ["sockets", what, "ours"], [load])),
        plain: () => call(page, "ours-suite", ["sockets", what, "plain"], [load]),
      }),
    );
  }
  return result;
}

/**
 * Measures the script layer alone, by the number of handlers: microseconds per message.
 *
 * @param {() => Promise<import("./browser.mjs").Page>} newPage
 * @param {number} rounds
 * @param {string[]} builds of ours
 * @param {number[]} [numbers]
 * @returns {Promise<Record<string, Samples>>}
 */
export async function layer(newPage, rounds, builds, numbers = [1, 10, 1_000]) {
  /** @type {Record<string, Samples>} */
  const result = {};
  for (const handlers of numbers) {
    const count = Math.max(100, Math.round(30_000 / handlers));
    result[handlers] = await withPage(newPage, (page) =>
      interleaved(rounds, {
        ...ofBuilds(builds, (suite) => call(page, suite, ["layer"], [{ handlers, count }])),
        sliced: () => call(page, "ours-suite", ["layer"], [{ handlers, count, timeSlice: 8 }]),
        // These are so fast that timing them takes more messages.
        plain: () => call(page, "ours-suite", ["plainLayer"], [{ handlers, count: count * 20 }]),
      }),
    );
  }
  return result;
}

/** The maximum time of a peer's measurement, in microseconds. */
const MAX_TIME_US = 500_000;

/** The runtime measurements, with their counts and titles. */
export const RUNTIME = /** @type {const} */ ({
  spawn: [100_000, "`task.spawn` of a function that returns"],
  defer: [100_000, "`task.defer` of a function that returns, until it has run"],
  coroutine: [100_000, "a thread that is made and resumed in Luau alone, after 100,000 were made"],
  sleeping: [100_000, "a thread that is put to sleep, of 100,000"],
  sleep: [100_000, "a thread that sleeps and wakes, of 100,000"],
  toLuau: [20_000, "JS calls a function of Luau, and awaits its result"],
  toJs: [100_000, "Luau calls a function of JS"],
  asyncJs: [10_000, "Luau calls an async function of JS"],
  stringIn: [10, "a string of 1 MiB, from JS to Luau"],
  stringOut: [10, "a string of 1 MiB, from Luau to JS"],
  recordsIn: [3, "records of about 1 MB, from JS to Luau"],
  recordsOut: [3, "records of about 1 MB, from Luau to JS"],
});

/**
 * Measures the runtime: microseconds per operation, for ours and the peers that support it.
 *
 * @param {() => Promise<import("./browser.mjs").Page>} newPage
 * @param {number} rounds
 * @param {string[]} peers
 * @param {string[]} [names] of the measurements; all by default
 */
export async function runtime(newPage, rounds, peers, names = Object.keys(RUNTIME)) {
  /** @type {Record<string, Samples>} */
  const samples = {};
  /** @type {Record<string, Record<string, string>>} */
  const failures = {};
  const has = await withPage(newPage, (page) =>
    page.evaluate(
      async (suites) =>
        Object.fromEntries(
          await Promise.all(
            suites.map(async (suite) => [
              suite,
              Object.keys((await import(`/target/bench/${suite}/peer.js`)).runtime),
            ]),
          ),
        ),
      ["ours", ...peers].map((name) => `${name}-suite`),
    ),
  );
  for (const what of names) {
    const able = ["ours", ...peers].filter((name) => has[`${name}-suite`].includes(what));
    const measured = await withPage(newPage, (page) => operation(page, rounds, able, what));
    samples[what] = measured.samples;
    if (Object.keys(measured.failures).length > 0) {
      failures[what] = measured.failures;
    }
  }
  return { samples, failures };
}

/**
 * Measures one operation of the runtime.
 *
 * @param {import("./browser.mjs").Page} page
 * @param {number} rounds
 * @param {string[]} names of the contenders
 * @param {string} what
 */
async function operation(page, rounds, names, what) {
  const [count] = RUNTIME[/** @type {keyof typeof RUNTIME} */ (what)];
  /** @type {Record<string, () => Promise<number>>} */
  const contenders = {};
  /** @type {Record<string, string>} */
  const failures = {};
  for (const name of names) {
    const act = (/** @type {number} */ count) => call(page, `${name}-suite`, ["runtime", what], [count]);
    try {
      // A slow peer gets a smaller count.
      const cost = await act(Math.ceil(count / 20));
      const often = name === "ours" ? count : Math.max(1, Math.min(count, Math.round(MAX_TIME_US / cost)));
      contenders[name] = () => act(often);
    } catch (error) {
      if (name === "ours") {
        throw error;
      }
      failures[name] = firstLine(error);
    }
  }
  return { samples: await interleaved(rounds, contenders), failures };
}

/**
 * Measures the cost of a sleeping thread: the bytes that the VM counts, and the growth of the module's memory in a page of its own.
 *
 * @param {() => Promise<import("./browser.mjs").Page>} newPage
 */
export async function bytes(newPage) {
  const page = await newPage();
  const growth = await call(page, "ours-suite", ["runtime", "sleepingGrowth"], [100_000]);
  const counted = await call(page, "ours-suite", ["runtime", "sleepingBytes"], [100_000]);
  await page.close();
  return { counted, growth };
}

/** Returns the first line of an error. */
export function firstLine(/** @type {unknown} */ error) {
  const text = error instanceof Error ? error.message : String(error);
  return /** @type {string} */ (text.replace(/^page\.evaluate: /, "").split("\n")[0]);
}
