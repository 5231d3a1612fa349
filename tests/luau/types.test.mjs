// The definitions in types/ match what scripts really find, both ways: everything declared exists, and everything that
// exists is declared.
//
// Tier: default.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { pageForTests, root } from "../server/browser.mjs";

/** @param {string} name */
const definitions = (name) => readFileSync(`${root}/types/${name}.d.luau`, "utf8");

/**
 * Returns the members of a declared type.
 *
 * @param {string} file
 * @param {string} type
 */
function declared(file, type) {
  const text = definitions(file);
  const escaped = type.replace(/[<.>]/g, "\\$&");
  const body = text.match(
    new RegExp(
      `(?:export type ${escaped} = \\{|declare extern type ${escaped} with)\\n([^]*?)\\n(?:\\}|end)\\n`,
    ),
  );
  assert(body?.[1], `types/${file}.d.luau declares no ${type}`);
  return [...body[1].matchAll(/^\t(?:function )?(\w+)[:(]/gm)].map((match) => match[1]).sort();
}

/**
 * Returns the members of a userdata in the source code: its methods, and the properties in its table or in constants.
 *
 * @param {string} file
 */
function known(file) {
  const text = readFileSync(`${root}/crates/luau-runtime/src/${file}`, "utf8");
  const names = [...text.matchAll(/(?<=^\s+\(")\w+(?=", \|)|(?<=^const CONNECTED: &str = ")\w+/gm)];
  const methods = [...text.matchAll(/create_table_from\(\[([^\]]*)\]\)/g)].flatMap((match) => [
    ...(match[1] ?? "").matchAll(/(?<=\(")\w+(?=", (?:builder|disconnect))/g),
  ]);
  return [...names, ...methods].map(([name]) => name).sort();
}

const context = pageForTests("/tests/luau/page.html", async ({ page }) => {
  await page.waitForFunction(() => "runScript" in globalThis);
});

/**
 * Returns the result of a script by way of an error, which the page of the scripts passes on.
 *
 * @param {string} expression a list of strings
 */
async function list(expression) {
  const source = `local names = ${expression} table.sort(names) error(table.concat(names, " "), 0)`;
  const result = await context.page.evaluate((text) => /** @type {any} */ (globalThis).runScript(text), {
    prelude: "",
    source,
    name: "list",
  });
  return result.failure.split("\n")[0].split(" ");
}

for (const [library, type] of [
  ["task", "TaskLibrary"],
  ["json", "JsonLibrary"],
  ["websocket", "WebSocketLibrary"],
]) {
  test(`the library ${library}`, async () => {
    const names = `(function() local names = {} for name in ${library} do table.insert(names, name) end return names end)()`;
    assert.deepEqual(
      await list(names),
      declared(/** @type {string} */ (library), /** @type {string} */ (type)),
    );
    assert.match(
      definitions(/** @type {string} */ (library)),
      new RegExp(`^declare ${library}: ${type}$`, "m"),
    );
  });
}

test("the globals", async () => {
  for (const [, name] of definitions("globals").matchAll(/^declare function (\w+)/gm)) {
    assert.deepEqual(await list(`{ type(${name}) }`), ["function"], name);
  }
  // Everything that Luau itself lacks is declared somewhere.
  const all = ["globals", "task", "json", "websocket"].map(definitions).join("\n");
  const ours = await list(`(function()
    local luau = { "_G", "_VERSION", "assert", "collectgarbage", "error", "gcinfo", "getfenv", "getmetatable", "ipairs",
      "newproxy", "next", "pairs", "pcall", "rawequal", "rawget", "rawlen", "rawset", "select", "setfenv", "setmetatable",
      "tonumber", "tostring", "type", "typeof", "unpack", "xpcall", "bit32", "buffer", "coroutine", "debug", "math", "os",
      "string", "table", "utf8", "vector", "integer", "class", "arrived", "browserSleep" }
    local names = {}
    for _, globals in { getfenv(), getmetatable(getfenv()).__index } do
      for name in globals do
        if not table.find(luau, name) then table.insert(names, name) end
      end
    end
    return names
  end)()`);
  for (const name of ours) {
    assert.match(all, new RegExp(`^declare (?:function )?${name}\\b`, "m"), name);
  }
});

test("a connection", () => {
  const members = declared("websocket", "WebSocketConnection").filter((name) => name !== "__iter");
  assert.deepEqual(known("websocket/connection/members.rs"), members);
});

test("signals, and what Connect returns", () => {
  assert.deepEqual(known("signal.rs"), declared("websocket", "Connection"));
  const methods = readFileSync(`${root}/crates/luau-runtime/src/signal.rs`, "utf8").matchAll(
    /\("(\w+)", Lifetime::|raw_set\(\s*"(\w+)"/g,
  );
  assert.deepEqual(
    [...methods].map((match) => match[1] ?? match[2]).sort(),
    declared("websocket", "Signal<T...>"),
  );
});
