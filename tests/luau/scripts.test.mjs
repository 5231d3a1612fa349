// Runs the scripts under tests/luau, each of which tests one rule, in a real browser against the built package.
//
// A script fails if it raises an error or leaves an unhandled one, unless its first lines declare that: `--! errors N`
// for the number of errors, `--! warnings N` likewise, and `--! queue N` or `--! queueBytes N` to keep only that many
// messages or bytes. With `--! inspector` it can ask how many messages have arrived on a path: `arrived(path)`. `--!
// fails in ENGINE: REASON` is for faults of an engine that nothing here can fix.
//
// Tier: default; --full adds messages of 16 and 64 MiB.
// Engines: all.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { ask, engine, pageForTests } from "../server/browser.mjs";
import { isFull } from "../server/tier.mjs";

const folder = fileURLToPath(new URL(".", import.meta.url));
const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
  .filter((file) => /[\\/].*\.luau$/.test(file) && !file.startsWith("hostile"))
  .sort();

/** @type {string} */
let prelude;

const context = pageForTests("/tests/luau/page.html", async (context) => {
  await context.page.waitForFunction(() => "runScript" in globalThis);
  const ports = await ask(context, "ports");
  prelude = readFileSync(`${folder}/prelude.luau`, "utf8")
    .replace("{SERVER}", `127.0.0.1:${context.port}`)
    .replace("{SILENT}", ports.silent)
    .replace("{CLOSED}", ports.closed)
    .replace("{TIER}", isFull ? "full" : "default");
});

for (const file of files) {
  test(file, async () => {
    const source = readFileSync(`${folder}/${file}`, "utf8");
    /** @param {string} name */
    const directive = (name) => Number(source.match(new RegExp(`^--! ${name} (\\d+)$`, "m"))?.[1] ?? 0);
    const websocket = {
      maxQueueMessages: directive("queue") || undefined,
      maxQueueBytes: directive("queueBytes") || undefined,
    };
    const result = await context.page.evaluate(
      (script) => /** @type {any} */ (globalThis).runScript(script),
      { prelude, source, name: file, websocket, hasInspector: /^--! inspector$/m.test(source) },
    );
    if (source.match(/^--! fails in (\w+): ./m)?.[1] === engine) {
      assert(result.failure, `${engine} does it right by now: take out the line that says otherwise`);
      return;
    }
    assert.equal(result.failure, undefined);
    assert.equal(result.errors.length, directive("errors"), result.errors.join("\n"));
    assert.equal(result.warnings.length, directive("warnings"), result.warnings.join("\n"));
  });
}
