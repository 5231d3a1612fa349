// Packs pkg/ with npm and installs the tarball with npm, once for all tests: `node tests/package/pack.mjs`. Tests call
// `packedPackage` too, so a file that runs alone prepares the package itself.
//
// Everything is in target/packed/KEY, where KEY is a hash of the contents of pkg/. A folder gets its final name by a
// rename once it is complete. So no test sees half an installation, and concurrent processes need no lock, which would
// stay behind if one of them were killed: the first rename wins.

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("../../", import.meta.url));
const source = join(root, "pkg");
const packed = join(root, "target/packed");
const template = fileURLToPath(new URL("template", import.meta.url));

/** The age after which folders are deleted. They belong to packages that no running test uses. */
const MAX_AGE_MS = 60 * 60 * 1_000;

/**
 * The packed package and a project with the package installed.
 *
 * @typedef {object} Packed
 * @property {string} tarball
 * @property {string} project a folder with the template's package.json, a lock file and node_modules
 */

/**
 * Packs and installs the package, unless its contents are the same as the last time.
 *
 * @returns {Promise<Packed>}
 */
export async function packedPackage() {
  if (!existsSync(join(source, "package.json"))) {
    throw new Error("there is no package in pkg/: build it with `cargo xtask build package`");
  }
  const folder = join(packed, contentKey());
  if (!existsSync(folder)) {
    mkdirSync(packed, { recursive: true });
    removeOldFolders();
    await prepare(folder);
  }
  const [tarball = ""] = readdirSync(folder).filter((name) => name.endsWith(".tgz"));
  return { tarball: join(folder, tarball), project: join(folder, "project") };
}

/** @param {string} folder */
async function prepare(folder) {
  const draft = mkdtempSync(join(packed, "draft-"));
  try {
    const npm = (/** @type {string} */ cwd, /** @type {string[]} */ ...args) =>
      promisify(execFile)("npm", args, { cwd });
    const { stdout } = await npm(draft, "pack", source, "--json", "--ignore-scripts");
    const project = join(draft, "project");
    mkdirSync(project);
    cpSync(join(template, "package.json"), join(project, "package.json"));
    // The package has no dependencies, so no registry is needed.
    const tarball = join("..", JSON.parse(stdout)[0].filename);
    await npm(project, "install", "--offline", "--no-audit", "--no-fund", tarball);
    renameSync(draft, folder);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (!existsSync(folder)) {
      throw error;
    }
  }
}

/** Returns a hash of the contents of pkg/, and of this file, which determines how the package is installed. */
function contentKey() {
  const hash = createHash("sha256").update(readFileSync(fileURLToPath(import.meta.url)));
  for (const name of readdirSync(source, { recursive: true, encoding: "utf8" }).sort()) {
    const file = join(source, name);
    if (statSync(file).isFile()) {
      const content = readFileSync(file);
      hash.update(`${name}\0${content.length}\0`).update(content);
    }
  }
  return hash.digest("hex").slice(0, 16);
}

function removeOldFolders() {
  for (const name of readdirSync(packed)) {
    const folder = join(packed, name);
    const { mtimeMs } = statSync(folder, { throwIfNoEntry: false }) ?? { mtimeMs: Date.now() };
    if (Date.now() - mtimeMs > MAX_AGE_MS) {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { tarball } = await packedPackage();
  console.log(relative(root, tarball));
}
