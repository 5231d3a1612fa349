// The documentation as a static site: `cargo xtask build docs` calls Eleventy with this, after the package is built.

import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { runnerImport } from "vite";
import { extend } from "./markdown.mjs";
import { PAGES, SECTIONS } from "./pages.mjs";
import { typescriptReference } from "./reference-typescript.mjs";
import { SearchIndex } from "./search-index.mjs";
import { snippetsOf } from "./snippets.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const docs = join(root, "docs");
const output = join(root, "target/site/docs");

/** @param {string} path */
const read = (path) => readFileSync(join(root, path), "utf8");

/**
 * A module in TypeScript.
 *
 * @template T
 * @param {string} path
 * @returns {Promise<T>}
 */
async function imported(path) {
  const { module } = await runnerImport(fileURLToPath(new URL(path, import.meta.url)), {
    root,
    logLevel: "error",
  });
  return /** @type {T} */ (module);
}

/** @param {any} eleventy */
export default async function configure(eleventy) {
  /** @type {typeof import("./playground.ts")} */
  const { linkTo, toHtml } = await imported("playground.ts");
  /** @type {typeof import("./reference-scripts.ts")} */
  const { scriptReference } = await imported("reference-scripts.ts");
  /** @type {typeof import("../../www/plugins/precompressed.ts")} */
  const { compressAll } = await imported("../../www/plugins/precompressed.ts");

  /** @type {Map<string, string>} */
  const links = new Map();
  // Two are generated; what is in them cannot be tried.
  const written = PAGES.map((page) => `docs/${page}.md`).filter((path) => existsSync(join(root, path)));
  for (const path of written) {
    for (const { language, code } of snippetsOf(read(path))) {
      if (language === "luau") {
        links.set(code, await linkTo(code));
      }
    }
  }

  const index = new SearchIndex();
  eleventy.amendLibrary("md", (/** @type {any} */ markdown) => {
    markdown.set({ linkify: true });
    // Only addresses that say so: `LuauFrame.name` is no host.
    markdown.linkify.set({ fuzzyLink: false, fuzzyEmail: false });
    extend(markdown, { toHtml, links, index });
  });

  const definitions = readdirSync(join(root, "types")).map((name) => read(`types/${name}`));
  const generated = new Map([
    ["reference/scripts", { title: "Script API", content: scriptReference(definitions) }],
    ["reference/typescript", { title: "TypeScript API", content: typescriptReference() }],
  ]);
  for (const [path, { title, content }] of generated) {
    eleventy.addTemplate(`${path}.md`, content, { title });
  }
  /** @param {string} path */
  const pageAt = (path) => {
    const title = generated.get(path)?.title ?? /^title: (.*)$/m.exec(read(`docs/${path}.md`))?.[1] ?? path;
    return { title, path: `${path}.html`, url: `/${path === "index" ? "" : `${path}.html`}` };
  };

  eleventy.addGlobalData("layout", "layout.njk");
  eleventy.addGlobalData(
    "permalink",
    () =>
      (/** @type {any} */ { page }) =>
        `${page.filePathStem}.html`,
  );
  // Relative, so that the site can lie under any path.
  const toRoot = (/** @type {string} */ url) => "../".repeat(url.split("/").length - 2) || "./";
  eleventy.addFilter("toRoot", toRoot);
  const sections = SECTIONS.map(({ title, pages }) => ({ title, pages: pages.map(pageAt) }));
  const all = sections.flatMap(({ pages }) => pages);
  eleventy.addGlobalData("sections", sections);
  eleventy.addFilter("beside", (/** @type {string} */ url, /** @type {number} */ by) => {
    const at = all.findIndex((page) => page.url === url);
    if (at < 0) {
      throw new Error(`${url} is not in docs/site/pages.mjs`);
    }
    return all[at + by];
  });
  eleventy.addTransform(
    "playground",
    /** @this {any} */ function (/** @type {string} */ html) {
      const playground = `${toRoot(this.page.url)}../`;
      return html.replaceAll(/ data-playground="([^"]*)" href="[^"]*"/g, ` href="${playground}$1"`);
    },
  );

  eleventy.on("eleventy.after", async () => {
    await build({
      entryPoints: [join(docs, "site/client.ts"), join(docs, "site/style.css")],
      outdir: output,
      bundle: true,
      minify: true,
      format: "esm",
      target: "es2022",
      sourcemap: true,
      logLevel: "error",
    });
    writeFileSync(join(output, "search.json"), JSON.stringify(index));
    for (const file of ["theme.js", "icon.svg"]) {
      cpSync(join(root, "www/public", file), join(output, file));
    }
    compressAll(output, join(root, "target/compressed"));
  });

  return {
    dir: { input: "docs", includes: "site", output: "target/site/docs" },
    templateFormats: ["md"],
    // Code has braces in it that are no template's.
    markdownTemplateEngine: false,
  };
}
