import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";

/** Files that are never cached: source maps, licenses, and the file that reveals whether there is a server. */
const NEVER = /\.map$|services\.json$|\.md$/;
/** Files that are cached last: the type checker, which is as large as everything else together. */
const LATER = /checker/;

/**
 * Generates `sw.js`, the service worker, with the list of the site's files, so that the site works offline after the
 * first visit.
 *
 * @param template the script in which `__FILES__`, `__LATER__` and `__VERSION__` are replaced
 */
export function offline(template: URL): Plugin {
  let publicFolder = "";
  return {
    name: "offline",
    apply: "build",
    configResolved(config) {
      publicFolder = config.publicDir;
    },
    generateBundle(_options, bundle) {
      const hash = createHash("sha256");
      const files = ["./"];
      const later: string[] = [];
      for (const name of readdirSync(publicFolder, { recursive: true, encoding: "utf8" }).sort()) {
        if (!NEVER.test(name)) {
          files.push(`./${name}`);
          hash.update(readFileSync(`${publicFolder}/${name}`));
        }
      }
      for (const [name, file] of Object.entries(bundle)) {
        if (name !== "index.html" && !NEVER.test(name)) {
          (LATER.test(name) ? later : files).push(`./${name}`);
        }
        hash.update(file.type === "chunk" ? file.code : file.source);
      }
      const source = readFileSync(fileURLToPath(template), "utf8")
        .replace("__FILES__", () => JSON.stringify(files))
        .replace("__LATER__", () => JSON.stringify(later))
        .replace("__VERSION__", () => JSON.stringify(hash.digest("hex").slice(0, 12)));
      this.emitFile({ type: "asset", fileName: "sw.js", source });
    },
  };
}
