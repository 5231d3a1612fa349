import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { Plugin } from "vite";

const COMPRESSIBLE = /\.(?:html|js|css|svg|json|webmanifest|wasm|luau)$/;

/**
 * Writes `file.br` and `file.gz` next to each file, for servers that send precompressed files.
 *
 * @param cache a folder for the results of earlier builds, since the best compression takes seconds
 */
export function precompressed(cache: string): Plugin {
  let folder = "";
  return {
    name: "precompressed",
    apply: "build",
    configResolved(config) {
      folder = config.build.outDir;
    },
    closeBundle() {
      compressAll(folder, cache);
    },
  };
}

/** Compresses all files in a folder and its subfolders. */
export function compressAll(folder: string, cache: string): void {
  mkdirSync(cache, { recursive: true });
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    const path = join(folder, name);
    if (COMPRESSIBLE.test(name) && statSync(path).isFile()) {
      const bytes = readFileSync(path);
      const kept = join(cache, createHash("sha256").update(bytes).digest("hex"));
      writeFileSync(
        `${path}.br`,
        once(`${kept}.br`, () => brotli(bytes)),
      );
      writeFileSync(
        `${path}.gz`,
        once(`${kept}.gz`, () => gzipSync(bytes, { level: 9 })),
      );
    }
  }
}

function brotli(bytes: Buffer): Buffer {
  return brotliCompressSync(bytes, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  });
}

function once(path: string, make: () => Buffer): Buffer {
  try {
    return readFileSync(path);
  } catch {
    const made = make();
    writeFileSync(path, made);
    return made;
  }
}
