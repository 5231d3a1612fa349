// What is measured in the page, besides the workloads of the VM: sockets, the runtime, and how all of it grows.

import { inTurns } from "./vm.mjs";

/** @typedef {Record<string, number[]>} Samples by who did it */

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
 * One thing that is measured, by all who can do it. A first time that warms up is not counted.
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

/** What is done with sockets: for how many messages, and of which size. */
export const SOCKETS = /** @type {const} */ ({
  "echo 32 B": ["echo", { size: 32, count: 300 }],
  "echo 64 KiB": ["echo", { size: 65_536, count: 100 }],
  "burst received": ["receive", { count: 4_000 }],
  "burst sent": ["send", { count: 4_000 }],
  "200 connections": ["connections", { connections: 200, count: 5 }],
});

/**
 * Sockets: microseconds of a message, in our script and in plain JavaScript.
 *
 * @param {import("./browser.mjs").Page} page
 * @param {number} rounds
 * @param {string[]} [names] all by default
 * @returns {Promise<Record<string, Samples>>}
 */
export async function sockets(page, rounds, names = Object.keys(SOCKETS)) {
  /** @type {Record<string, Samples>} */
  const result = {};
  for (const name of names) {
    const [what, load] = SOCKETS[/** @type {keyof typeof SOCKETS} */ (name)];
    // A few per cent are looked for, in what the browser and the network make jump about. But 200 connections take a browser
    // five seconds to open.
    result[name] = await interleaved(what === "connections" ? Math.min(rounds, 3) : rounds * 3, {
      ours: () => call(page, "ours-suite", ["sockets", what, "ours"], [load]),
      plain: () => call(page, "ours-suite", ["sockets", what, "plain"], [load]),
    });
  }
  return result;
}

/**
 * The script layer alone, by the number of handlers: microseconds of a message.
 *
 * @param {import("./browser.mjs").Page} page
 * @param {number} rounds
 * @param {number[]} [numbers]
 * @returns {Promise<Record<string, Samples>>}
 */
export async function layer(page, rounds, numbers = [1, 10, 1_000]) {
  /** @type {Record<string, Samples>} */
  const result = {};
  for (const handlers of numbers) {
    const count = Math.max(100, Math.round(30_000 / handlers));
    result[handlers] = await interleaved(rounds, {
      ours: () => call(page, "ours-suite", ["layer"], [{ handlers, count }]),
      sliced: () => call(page, "ours-suite", ["layer"], [{ handlers, count, timeSlice: 8 }]),
      // So fast that it takes more of them to be timed.
      plain: () => call(page, "ours-suite", ["plainLayer"], [{ handlers, count: count * 20 }]),
    });
  }
  return result;
}

/** What a measurement of a peer may take, in microseconds. */
const LONGEST = 500_000;

/** What is measured of the runtime, how often it is done, and what it is called. */
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
 * The runtime: microseconds of an operation, by ours and those peers that have it.
 *
 * @param {import("./browser.mjs").Page} page
 * @param {number} rounds
 * @param {string[]} peers
 * @param {string[]} [names] of what is measured; all by default
 */
export async function runtime(page, rounds, peers, names = Object.keys(RUNTIME)) {
  /** @type {Record<string, Samples>} */
  const result = {};
  /** @type {Record<string, Record<string, string>>} */
  const failures = {};
  const has = await page.evaluate(
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
  );
  for (const what of names) {
    const [count] = RUNTIME[/** @type {keyof typeof RUNTIME} */ (what)];
    /** @type {Record<string, () => Promise<number>>} */
    const contenders = {};
    for (const name of ["ours", ...peers].filter((name) => has[`${name}-suite`].includes(what))) {
      const act = (/** @type {number} */ count) => call(page, `${name}-suite`, ["runtime", what], [count]);
      try {
        // A peer that is slow does it less often.
        const cost = await act(Math.ceil(count / 20));
        const often = name === "ours" ? count : Math.max(1, Math.min(count, Math.round(LONGEST / cost)));
        contenders[name] = () => act(often);
      } catch (error) {
        if (name === "ours") {
          throw error;
        }
        failures[what] ??= {};
        failures[what][name] = firstLine(error);
      }
    }
    result[what] = await interleaved(rounds, contenders);
  }
  return { samples: result, failures };
}

/**
 * What a sleeping thread costs: bytes as the VM counts them, and by what the memory of the module grew in a page of its own.
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

/** What grows, and how far. */
export const GROWTH = /** @type {const} */ ({
  connections: { unit: "µs per message", counts: [1, 10, 50, 100, 200] },
  sleepers: { unit: "µs per thread", counts: [1, 10, 100, 1_000, 10_000, 100_000] },
  handlers: { unit: "µs per handler", counts: [1, 10, 100, 1_000] },
  bytes: { unit: "µs per message and KiB", counts: [32, 1_024, 32_768, 1_048_576, 16_777_216] },
});

/**
 * Growth: what one of so many costs.
 *
 * @param {import("./browser.mjs").Page} page
 * @param {number} rounds
 * @returns {Promise<Record<string, { count: number, samples: Samples }[]>>}
 */
export async function growth(page, rounds) {
  const suite = "ours-suite";
  /** @type {Record<string, (count: number) => Record<string, () => Promise<number>>>} */
  const kinds = {
    connections: (connections) => {
      const load = { connections, count: Math.max(5, 500 / connections) };
      return {
        ours: () => call(page, suite, ["sockets", "connections", "ours"], [load]),
        plain: () => call(page, suite, ["sockets", "connections", "plain"], [load]),
      };
    },
    sleepers: (count) => ({
      ours: () => call(page, suite, ["runtime", "sleeping"], [count]),
    }),
    handlers: (handlers) => {
      const load = { handlers, count: Math.max(100, 20_000 / handlers) };
      return {
        ours: async () => (await call(page, suite, ["layer"], [load])) / handlers,
        plain: async () => (await call(page, suite, ["plainLayer"], [load])) / handlers,
      };
    },
    bytes: (size) => {
      const load = { size, count: Math.max(4, Math.min(200, Math.round(8_388_608 / size))) };
      const per = (/** @type {number} */ figure) => (figure * 1_024) / size;
      return {
        ours: async () => per(await call(page, suite, ["sockets", "echo", "ours"], [load])),
        plain: async () => per(await call(page, suite, ["sockets", "echo", "plain"], [load])),
      };
    },
  };
  /** @type {Record<string, { count: number, samples: Samples }[]>} */
  const result = {};
  for (const [kind, { counts }] of Object.entries(GROWTH)) {
    result[kind] = [];
    for (const count of counts) {
      const contenders = /** @type {typeof kinds[string]} */ (kinds[kind])(count);
      const times = kind === "connections" ? 1 : rounds;
      result[kind].push({ count, samples: await interleaved(times, contenders) });
    }
  }
  return result;
}

/** What an error says first. */
export function firstLine(/** @type {unknown} */ error) {
  const text = error instanceof Error ? error.message : String(error);
  return /** @type {string} */ (text.replace(/^page\.evaluate: /, "").split("\n")[0]);
}
