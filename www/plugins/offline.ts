import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";

/** What is not there after the first visit: source maps, the checker, which comes with its first use, the worker of the package, in the place
 * of which the runs have their own, licences, and what tells whether there is a server. */
const LATER = /\.map$|checker|services\.json$|\.md$/;

/**
 * Makes `sw.js`, the service worker, with the list of what belongs to the site: so it works offline after the first visit.
 *
 * @param template the script, in which `__FILES__` and `__VERSION__` are replaced
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
      for (const name of readdirSync(publicFolder, { recursive: true, encoding: "utf8" }).sort()) {
        if (!LATER.test(name)) {
          files.push(`./${name}`);
          hash.update(readFileSync(`${publicFolder}/${name}`));
        }
      }
      for (const [name, file] of Object.entries(bundle)) {
        if (name !== "index.html" && !LATER.test(name)) {
          files.push(`./${name}`);
        }
        hash.update(file.type === "chunk" ? file.code : file.source);
      }
      const source = readFileSync(fileURLToPath(template), "utf8")
        .replace("__FILES__", () => JSON.stringify(files))
        .replace("__VERSION__", () => JSON.stringify(hash.digest("hex").slice(0, 12)));
      this.emitFile({ type: "asset", fileName: "sw.js", source });
    },
  };
}
