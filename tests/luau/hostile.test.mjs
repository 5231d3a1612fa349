// Scripts that try to do harm: none gets further than its own end, and everything works afterwards.
//
// Each file under `hostile` says in its first lines what is to become of it:
//
// - `--! expect finished`, or the kind of its error: `error` (that is, of kind `runtime`), `memory`, `timeout`, `cancelled`,
//   `disposed`, `syntax`; and a part of the message after it, in quotes;
// - `--! errors N` and `--! warnings N`: so many errors that nobody waits for, and warnings; none by default, any number for `*`;
// - `--! memoryLimit N`, `--! timeLimit N`, `--! timeSlice N`: options of its VM; `--! queue N`: so many messages are kept;
// - `--! memoryLeft N`: so many bytes more than before may be in use afterwards, two million by default: what mlua keeps Rust's values
//   on does not become smaller again;
// - `--! module NAME SOURCE`: a module that it can require; one whose name begins with `later` comes by a promise;
// - `--! longest N`: for how many milliseconds the page may stand still; five seconds by default;
// - `--! worker N`: it runs in a worker, which is terminated after so many milliseconds;
// - `--! not in ENGINE: REASON`: it is skipped there.
//
// What the scripts can call of the page is in `hostile/page.mjs`, and what has to work afterwards in `hostile/check.luau`.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { ask, engine, pageForTests } from "../server/browser.mjs";

const folder = fileURLToPath(new URL("hostile/", import.meta.url));
const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
  .filter((file) => /[\\/].*\.luau$/.test(file))
  .sort();

let [tried, survived] = [0, 0];

/** @type {(text: string) => string} */
let withAddresses;

const context = pageForTests("/tests/luau/hostile/page.html", async (context) => {
  await context.page.waitForFunction(() => "runHostile" in globalThis);
  const ports = await ask(context, "ports");
  withAddresses = (text) =>
    text
      .replaceAll("{SERVER}", `127.0.0.1:${context.port}`)
      .replaceAll("{SILENT}", ports.silent)
      .replaceAll("{CLOSED}", ports.closed);
});

after(() => console.log(`hostile: ${tried} scripts tried, ${survived} survived`));

/** How much more time than in Chromium everything may take: what the scripts do at the limits takes others longer. */
const PATIENCE = engine === "Chromium" ? 1 : 4;

/** How long a script may take with all that is looked at afterwards, in milliseconds. */
const LONGEST = 25_000 * PATIENCE;

/**
 * Runs a script in the page; one that takes the page down gets a new one for the next.
 *
 * @param {import("./hostile/page.mjs").Script} script
 * @returns {Promise<import("./hostile/page.mjs").Told>}
 */
async function runInPage(script) {
  let timer;
  try {
    return await Promise.race([
      context.page.evaluate((given) => /** @type {any} */ (globalThis).runHostile(given), script),
      new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error("the page does not answer any more")), LONGEST);
      }),
    ]);
  } catch (error) {
    const page = await context.page.context().browser()?.newPage();
    assert(page, "the browser is gone");
    await page.goto(context.page.url());
    await page.waitForFunction(() => "runHostile" in globalThis);
    await context.page.close();
    context.page = page;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

for (const file of files) {
  test(file, async (test) => {
    const source = readFileSync(`${folder}${file}`, "utf8");
    /** @param {string} name */
    const directives = (name) =>
      [...source.matchAll(new RegExp(`^--! ${name} (.*)$`, "gm"))].map((found) => found[1] ?? "");
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

    const [expected] = directives("expect");
    assert(expected, "the file does not say what to expect");
    const [, kind, part] = expected.match(/^(\w+)(?: "(.*)")?$/) ?? [];
    assert(kind, `--! expect ${expected}`);

    tried += 1;
    const told = await runInPage({
      name: file.replace(/^.*[\\/]|\.luau$/g, ""),
      source,
      prelude: withAddresses(readFileSync(`${folder}../prelude.luau`, "utf8")),
      check: readFileSync(`${folder}check.luau`, "utf8"),
      modules: Object.fromEntries(
        directives("module").map((line) => [line.split(" ", 1)[0], line.replace(/^\S+ /, "")]),
      ),
      options: {
        memoryLimit: number("memoryLimit"),
        timeLimit: number("timeLimit"),
        timeSlice: number("timeSlice"),
      },
      queue: number("queue"),
      memoryLeft: number("memoryLeft"),
      terminateAfter: number("worker"),
      patience: PATIENCE,
    });
    assert.equal(told.faults.join("\n"), "");
    survived += 1;
    assert.equal(told.outcome, kind === "error" ? "runtime" : kind, told.message);
    assert(told.message.includes(part ?? ""), told.message);
    isCount("errors", told.errors);
    isCount("warnings", told.warnings);
    const longest = (number("longest") ?? 5_000) * PATIENCE;
    assert(told.longest <= longest, `the page stood still for ${told.longest} ms`);
  });
}

test("the browser never complained of a closure that is gone", () => {
  const expected = /WebSocket|closed before the connection is established|callback|!throw/;
  assert.deepEqual(
    context.complaints.filter((text) => !expected.test(text)),
    [],
  );
});
