// The tarball contains the necessary files and no others, the notices of all components, and no trace of the machine
// that built it.
//
// Tier: default.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import { test } from "node:test";
import { root } from "../server/browser.mjs";
import { packageForTests } from "./project.mjs";

/** The files of the package by path. @type {Map<string, Buffer>} */
const files = new Map();

packageForTests((context) => {
  const folder = join(context.installed, "node_modules/luau-websocket");
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) {
      const path = join(entry.parentPath, entry.name);
      files.set(path.slice(folder.length + 1), readFileSync(path));
    }
  }
});

const GENERATED = ["glue.js", "inline-wasm.js"];

/** @param {string} name */
function text(name) {
  const content = files.get(name);
  assert.ok(content, `${name} is missing`);
  return content.toString();
}

const names = () => [...files.keys()].sort();

test("it has the expected files and no others", () => {
  const single = ["LICENSE", "NOTICES.md", "README.md", "package.json", "luau.wasm", "luau.d.wasm.ts"];
  const scripts = names().filter((name) => name.endsWith(".js"));
  const expected = [
    ...single,
    ...scripts,
    ...scripts.map((name) => name.replace(/\.js$/, ".d.ts")),
    ...scripts.filter((name) => !GENERATED.includes(name)).map((name) => `${name}.map`),
    ...readdirSync(join(root, "types")).map((name) => `types/${name}`),
  ];
  assert.deepEqual(names(), expected.sort());
  for (const name of [...GENERATED, "index.js", "inline.js", "node.js", "worker.js", "workerd.js"]) {
    assert.ok(scripts.includes(name), `${name} is missing`);
  }
});

test("its version is that of Cargo.toml", () => {
  const cargo = readFileSync(join(root, "Cargo.toml"), "utf8");
  const [, version] = /^\[workspace\.package\]\nversion = "([^"]+)"$/m.exec(cargo) ?? [];
  assert.equal(JSON.parse(text("package.json")).version, version);
});

test("it installs nothing else, and runs nothing when it is installed", () => {
  const manifest = JSON.parse(text("package.json"));
  for (const field of ["dependencies", "peerDependencies", "optionalDependencies", "scripts", "bin"]) {
    assert.equal(manifest[field], undefined, field);
  }
});

test("the Wasm module is in two files only: once as binary, once as base64", () => {
  assert.ok(WebAssembly.validate(Uint8Array.from(files.get("luau.wasm") ?? [])));
  for (const [name, content] of files) {
    if (name !== "luau.wasm") {
      assert.ok(!content.includes("\0asm"), `${name} contains a Wasm module`);
      assert.ok(!content.includes("\0"), `${name} is not text`);
    }
    if (name !== "luau.wasm" && name !== "inline-wasm.js") {
      assert.doesNotMatch(content.toString(), /[A-Za-z0-9+/]{200}/, `${name} contains base64`);
    }
  }
});

test("the source maps name the sources and contain them", () => {
  for (const name of names().filter((name) => name.endsWith(".js") && !GENERATED.includes(name))) {
    assert.match(text(name), new RegExp(`^//# sourceMappingURL=${basename(name)}\\.map$`, "m"));
    const { sources, sourcesContent } = JSON.parse(text(`${name}.map`));
    assert.deepEqual(
      sources.map((/** @type {string} */ source) => source.replace(/^.*\//, "")),
      [basename(name).replace(/\.js$/, ".ts")],
    );
    assert.ok(sourcesContent?.[0], `the map of ${name} contains no source`);
  }
});

test("the notices name every component of the Wasm module", () => {
  const titles =
    text("NOTICES.md")
      .match(/^## .*$/gm)
      ?.join("\n") ?? "";
  for (const name of [
    "Luau",
    "mlua",
    "musl",
    "libc\\+\\+",
    "libc\\+\\+abi",
    "libunwind",
    "compiler[-_](rt|builtins)",
  ]) {
    assert.match(titles, new RegExp(`^## ${name} `, "m"));
  }
});

test("no text file contains a path of the machine that built it", () => {
  // Searches comments and strings, but not the paths of URLs.
  const path = /(?<![\w.:/~-])\/(home|Users|root|work|tmp|build)\/|\b[A-Z]:\\\w/;
  for (const [name, content] of files) {
    if (name !== "luau.wasm") {
      assert.doesNotMatch(content.toString(), path, name);
    }
  }
});

test("nor does the Wasm module", () => {
  for (const path of [root, homedir()]) {
    assert.ok(!files.get("luau.wasm")?.includes(path), `luau.wasm contains ${path}`);
  }
});
