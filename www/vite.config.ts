import { readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import { echoServer } from "./plugins/echo-server.ts";
import { offline } from "./plugins/offline.ts";
import { precompressed } from "./plugins/precompressed.ts";

/** The package as `cargo xtask build` made it: what its users install. */
const pkg = (file: string) => fileURLToPath(new URL(`../pkg/${file}`, import.meta.url));

const target = (folder: string) => fileURLToPath(new URL(`../target/${folder}`, import.meta.url));

/** The release of Luau that is in the module: the crate with its sources names it, as in `0.22.0+luau740`. */
function luauVersion(): string {
  const lock = readFileSync(new URL("../Cargo.lock", import.meta.url), "utf8");
  const release = /name = "luau0-src"\nversion = "[^"]*\+luau(\d+)"/.exec(lock)?.[1];
  if (release === undefined) {
    throw new Error("Cargo.lock does not name the release of Luau as it did");
  }
  return `0.${release}`;
}

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  // Relative, so that the site can lie under any path.
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
    // `cargo xtask build` empties it, except for the documentation.
    emptyOutDir: false,
    target: "es2022",
    sourcemap: true,
    // Those of the modules are put beside it by `cargo xtask build`.
    license: { fileName: "licences/playground.md" },
    // Data URLs are not what the content security policy allows for what is fetched.
    assetsInlineLimit: 0,
  },
});
