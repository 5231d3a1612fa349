// Measures the time from the import to the first result, each time in a fresh browser, and the size of everything that is loaded for it.

import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { firstLine } from "./sections.mjs";
import { inTurns } from "./vm.mjs";

/**
 * @typedef {{ raw: number, gzip: number, brotli: number }} Sizes
 * @typedef {{ samples: number[], sizes: Sizes, module?: Sizes, failure?: string }} Start
 */

const SOURCE = "function bench(a) return a + 1 end";

/**
 * Measures.
 *
 * @param {import("playwright-core").Browser} browser
 * @param {string} origin
 * @param {string[]} names of the bundles
 * @param {number} rounds
 * @returns {Promise<Record<string, Start>>}
 */
export async function measure(browser, origin, names, rounds) {
  /** @type {Record<string, Start>} */
  const result = {};
  for (let round = 0; round < rounds; round++) {
    for (const name of inTurns(names, round)) {
      try {
        const { took, bodies } = await start(browser, origin, name);
        result[name] ??= { samples: [], ...sizesOf(bodies) };
        result[name].samples.push(took);
      } catch (error) {
        result[name] = { samples: [], sizes: { raw: 0, gzip: 0, brotli: 0 }, failure: firstLine(error) };
      }
    }
  }
  return result;
}

/**
 * @param {import("playwright-core").Browser} browser
 * @param {string} origin
 * @param {string} name
 */
async function start(browser, origin, name) {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.goto(`${origin}/benches/hosts/empty.html`);
    /** @type {import("playwright-core").Response[]} */
    const responses = [];
    page.on("response", (response) => {
      responses.push(response);
    });
    const took = await page.evaluate(
      async ([url, source]) => {
        const began = performance.now();
        const { load } = await import(url);
        const loaded = await load(source);
        const value = await loaded.run(1);
        const took = performance.now() - began;
        if (Number(value) !== 2) {
          throw new Error(`1 + 1 is ${value}`);
        }
        return took;
      },
      /** @type {const} */ ([`/target/bench/${name}/peer.js`, SOURCE]),
    );
    const load = async (/** @type {import("playwright-core").Response} */ response) => ({
      url: response.url(),
      body: await response.body(),
    });
    return { took, bodies: await Promise.all(responses.map(load)) };
  } finally {
    await context.close();
  }
}

/** Returns the total size of everything that was loaded, and of the WebAssembly alone if it is a file. */
function sizesOf(/** @type {{ url: string, body: Buffer }[]} */ bodies) {
  const sizes = sum(bodies.map(({ body }) => body));
  const module = bodies.find(({ url }) => url.endsWith(".wasm"));
  return module === undefined ? { sizes } : { sizes, module: sum([module.body]) };
}

/**
 * @param {Buffer[]} files
 * @returns {Sizes}
 */
function sum(files) {
  const total = { raw: 0, gzip: 0, brotli: 0 };
  for (const file of files) {
    total.raw += file.length;
    total.gzip += gzipSync(file, { level: 9 }).length;
    total.brotli += brotli(file);
  }
  return total;
}

/** Returns the size of a file compressed like a server would compress it ahead of time. */
export function brotli(/** @type {Buffer} */ file) {
  return brotliCompressSync(file, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: file.length },
  }).length;
}
