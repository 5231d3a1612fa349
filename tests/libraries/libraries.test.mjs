// Well-known Luau libraries run as their users install them. Each script here tests scripts against one library.
//
// Tier: default.

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Luau } from "../../pkg/node.js";

const here = new URL("./", import.meta.url);
const packages = new URL("../../node_modules/", import.meta.url);

/** The source of `prelude.luau` has `expect`, and placeholders for addresses that no script here uses. */
const prelude = readFileSync(new URL("../luau/prelude.luau", import.meta.url), "utf8");

/** Stand-ins for modules that a library loads from elsewhere. @type {Record<string, string>} */
const STAND_INS = {
  // vide's package does not contain it, but needs it outside of Roblox.
  "@rbxts/vide/test/mock": `
    local any = setmetatable({}, { __index = function(self) return self end })
    return { typeof = typeof, Instance = any, Enum = any, Color3 = { new = function(...) return { ... } end } }`,
};

/** @param {string} path */
function sourceOf(path) {
  const endings = [".luau", ".lua", "/init.luau", "/init.lua"];
  const file = endings.map((ending) => new URL(`${path}${ending}`, packages)).find((url) => existsSync(url));
  return file === undefined ? STAND_INS[path] : readFileSync(file, "utf8");
}

/** Returns the `game` of a script, with the service by which libraries wait for the next frame, and a function that ends it. */
function makeGame() {
  /** @type {Set<(seconds: number) => unknown>} */
  const listeners = new Set();
  const frameMs = 1_000 / 60;
  const frames = setInterval(() => {
    for (const listener of listeners) {
      listener(frameMs / 1_000);
    }
  }, frameMs);
  const Heartbeat = {
    Connect(/** @type {unknown} */ _self, /** @type {(seconds: number) => unknown} */ listener) {
      listeners.add(listener);
      return { Disconnect: () => listeners.delete(listener) };
    },
    Wait: () => sleep(frameMs, frameMs / 1_000),
  };
  const services = { RunService: { Heartbeat } };
  return {
    game: { GetService: (/** @type {unknown} */ _self, /** @type {"RunService"} */ name) => services[name] },
    end: () => clearInterval(frames),
  };
}

for (const file of readdirSync(here).filter((name) => name.endsWith(".luau"))) {
  test(file, async () => {
    const source = readFileSync(new URL(file, here), "utf8");
    const { game, end } = makeGame();
    /** @type {Error[]} */
    const errors = [];
    const luau = await Luau.create({
      modules: sourceOf,
      // A library that looks for Roblox's services concludes from their absence that it runs elsewhere.
      globals: /^--! game$/m.test(source) ? { game } : {},
      print: () => {},
      onError: (error) => errors.push(error),
    });
    try {
      await luau.run(`${prelude}\n${source}`, { chunkName: fileURLToPath(new URL(file, here)) });
      await luau.idle();
    } finally {
      end();
      luau.dispose();
    }
    assert.deepEqual(errors, []);
  });
}
