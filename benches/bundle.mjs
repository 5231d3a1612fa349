// Bundles the peers like a page would. Each bundle has everything that it needs, in a folder of its own under target/bench.

import { cp, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** The repository's folder. */
export const root = fileURLToPath(new URL("../", import.meta.url));

/** The folder of the bundles. */
export const folder = join(root, "target/bench");

/**
 * The parts of each peer: its module, the suite that measures its runtime, the aliases of its imports, and the files that it expects next
 * to itself.
 *
 * @typedef {{ module: string, suite?: string, alias?: Record<string, string>, files?: string[] }} Parts
 * @type {Record<string, Parts>}
 */
const PEERS = {
  wasmoon: {
    module: "peers/wasmoon",
    suite: "suites/wasmoon",
    files: [join(root, "node_modules/wasmoon/dist/glue.wasm")],
  },
  "luau-web": { module: "peers/luau-web", suite: "suites/luau-web" },
  "luau-web-asyncify": { module: "peers/luau-web-asyncify" },
  fengari: { module: "peers/fengari" },
  luaur: {
    module: "peers/luaur",
    alias: { luaur: join(root, "target/luaur/luaur.js") },
    files: [join(root, "target/luaur/luaur_bg.wasm")],
  },
};

/** The peers that run in a page. */
export const PAGE_PEERS = Object.keys(PEERS);

/**
 * Bundles a module of benches.
 *
 * @param {string} name of its folder
 * @param {Omit<Parts, "suite"> & { platform?: "browser" | "node" }} parts
 */
async function bundle(name, { module, alias = {}, files = [], platform = "browser" }) {
  const outdir = join(folder, name);
  await rm(outdir, { recursive: true, force: true });
  await mkdir(outdir, { recursive: true });
  await build({
    entryPoints: { peer: join(root, `benches/${module}.mjs`) },
    outdir,
    alias,
    platform,
    bundle: true,
    minify: true,
    // Only one of luau-web's builds is loaded.
    splitting: true,
    format: "esm",
    target: "es2022",
    logLevel: "error",
    // Imported by code that runs only under Node.
    external:
      platform === "browser"
        ? ["fs", "path", "os", "child_process", "url", "crypto", "module", "readline-sync", "tmp"]
        : [],
    define: platform === "browser" ? { "process.env.FENGARICONF": "undefined" } : {},
  });
  for (const file of files) {
    await cp(file, join(outdir, /** @type {string} */ (file.split(/[\\/]/).pop())));
  }
}

/**
 * Bundles our own package, for pages and for Node, and its suite for pages.
 *
 * @param {string} name
 * @param {string} path of the package's folder
 */
export async function bundleOurs(name, path) {
  const files = [join(path, "luau.wasm")];
  const alias = { "luau-websocket": join(path, "index.js") };
  await bundle(name, { module: "peers/ours", alias, files });
  await bundle(`${name}-suite`, { module: "suites/page", alias, files });
  const inNode = { "luau-websocket": join(path, "node.js") };
  await bundle(`${name}-node`, { module: "peers/ours", alias: inNode, files, platform: "node" });
}

/** Bundles a peer that runs in a page, and the suite that measures its runtime. */
export async function bundlePeer(/** @type {string} */ name) {
  const { suite, ...parts } = /** @type {Parts} */ (PEERS[name]);
  await bundle(name, parts);
  if (suite !== undefined) {
    await bundle(`${name}-suite`, { ...parts, module: suite });
  }
}
