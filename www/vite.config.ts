import { readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import { echoServer } from "./plugins/echo-server.ts";
import { offline } from "./plugins/offline.ts";
import { precompressed } from "./plugins/precompressed.ts";

/** The package that `cargo xtask build` made: the same files that users install. */
const pkg = (file: string) => fileURLToPath(new URL(`../pkg/${file}`, import.meta.url));

const target = (folder: string) => fileURLToPath(new URL(`../target/${folder}`, import.meta.url));

/** Returns the release of Luau in the module. The crate with its sources names it, as in `0.22.0+luau740`. */
function luauVersion(): string {
  const lock = readFileSync(new URL("../Cargo.lock", import.meta.url), "utf8");
  const release = /name = "luau0-src"\nversion = "[^"]*\+luau(\d+)"/.exec(lock)?.[1];
  if (release === undefined) {
    throw new Error("Cargo.lock names no luau0-src with a Luau release");
  }
  return `0.${release}`;
}

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  // Relative, so that the site works under any path.
  base: "./",
  resolve: {
    alias: [
      { find: /^luau-checker\/checker_bg\.wasm/, replacement: target("checker/checker_bg.wasm") },
      { find: /^luau-checker$/, replacement: target("checker/checker.js") },
      { find: /^luau-websocket$/, replacement: pkg("index.js") },
      { find: /^luau-websocket\/luau\.wasm/, replacement: pkg("luau.wasm") },
      { find: /^luau-websocket\/([\w-]+)$/, replacement: `${pkg("")}$1.js` },
    ],
  },
  plugins: [
    echoServer(process.env.ECHO_SERVER),
    offline(new URL("src/sw.js", import.meta.url)),
    precompressed(target("compressed")),
  ],
  // The package and the type checker lie outside of this folder.
  server: { fs: { allow: [fileURLToPath(new URL("..", import.meta.url))] } },
  define: {
    "import.meta.env.VITE_LUAU_VERSION": JSON.stringify(luauVersion()),
    "import.meta.env.VITE_LUAU_BYTES": JSON.stringify(statSync(pkg("luau.wasm")).size),
  },
  worker: { format: "es" },
  build: {
    outDir: target("site"),
    // `cargo xtask build` empties the folder, except for the documentation.
    emptyOutDir: false,
    target: "es2022",
    sourcemap: true,
    // `cargo xtask build` adds the licenses of the modules next to this file.
    license: { fileName: "licenses/playground.md" },
    // The content security policy does not allow fetching data URLs.
    assetsInlineLimit: 0,
  },
});
