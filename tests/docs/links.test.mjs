// Every link in the built documentation leads to an existing page, and to an existing place on it.
//
// Tier: default.

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const site = fileURLToPath(new URL("../../target/site/", import.meta.url));

/** All pages except rustdoc's, which checks its own links. */
const pages = readdirSync(join(site, "docs"), { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".html") && !path.startsWith("api"))
  .map((path) => join(site, "docs", path))
  .concat(join(site, "index.html"));

/** @type {Map<string, string>} */
const texts = new Map();

/** @param {string} file */
function textOf(file) {
  const text = texts.get(file) ?? readFileSync(file, "utf8");
  texts.set(file, text);
  return text;
}

/** @param {string} text */
const unescaped = (text) => text.replaceAll("&amp;", "&").replaceAll("&quot;", '"');

/** @param {string} page */
function linksOf(page) {
  return [...textOf(page).matchAll(/ (?:href|src)="([^"]*)"/g)].map(([, link = ""]) => unescaped(link));
}

/** @param {string} text @param {string} id */
const hasPlace = (text, id) =>
  text.includes(` id="${id}"`) || text.includes(` id=${id} `) || text.includes(` id=${id}>`);

/**
 * Returns a description of the problem with a link, if there is one.
 *
 * @param {string} page
 * @param {string} link
 */
function problemOf(page, link) {
  if (/^[a-z][a-z\d+.-]*:/i.test(link)) {
    return URL.canParse(link) && /^(?:https|mailto):/.test(link) ? undefined : "is not an address";
  }
  if (link.startsWith("/")) {
    return "works under one path only";
  }
  const [path = "", place] = link.split("#");
  let file = path === "" ? page : join(dirname(page), decodeURIComponent(path.replace(/\?.*$/, "")));
  if (existsSync(file) && statSync(file).isDirectory()) {
    file = join(file, "index.html");
  }
  if (!existsSync(file) || !file.startsWith(site)) {
    return "leads to no file";
  }
  const isScript = place?.startsWith("v1.");
  return place === undefined || isScript || hasPlace(textOf(file), decodeURIComponent(place))
    ? undefined
    : "leads to no place on the page";
}

test("links lead to existing places", () => {
  assert(pages.length > 15, "the documentation is not built: run `cargo xtask build docs`");
  const problems = pages.flatMap((page) =>
    linksOf(page).flatMap((link) => {
      const problem = problemOf(page, link);
      return problem === undefined ? [] : [`${relative(site, page)}: ${link} ${problem}`];
    }),
  );
  assert.deepEqual(problems, []);
});

test("every page has a title and one heading of the first level, and no ID twice", () => {
  for (const page of pages.filter((page) => page.startsWith(join(site, "docs")))) {
    const text = textOf(page);
    assert.match(text, /<title>[^<]+ – luau-websocket<\/title>/);
    assert.equal(text.match(/<h1[ >]/g)?.length, 1, page);
    const places = [...text.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
    assert.deepEqual(
      places.filter((id, at) => places.indexOf(id) !== at),
      [],
      page,
    );
  }
});

test("search results lead to existing places", () => {
  /** @type {import("../../docs/site/search-index.mjs").Section[]} */
  const sections = JSON.parse(textOf(join(site, "docs/search.json")));
  assert(sections.length > 100);
  const home = join(site, "docs/index.html");
  assert.deepEqual(
    sections.map(({ url }) => url).filter((url) => problemOf(home, url) !== undefined),
    [],
  );
});

test("the references are complete", () => {
  const scripts = textOf(join(site, "docs/reference/scripts.html"));
  for (const id of [
    "websocketconnect",
    "taskdelay",
    "jsondecode",
    "require",
    "signalwait",
    "websocketconnectionsend",
  ]) {
    assert(hasPlace(scripts, id), id);
  }
  const typescript = textOf(join(site, "docs/reference/typescript.html"));
  const declarations = readFileSync(join(site, "../../pkg/vm/exports.d.ts"), "utf8").replace(
    /\/\*.*?\*\//gs,
    "",
  );
  const exported = declarations.match(/\b[A-Z]\w+/g) ?? [];
  for (const name of [...exported, "Luau", "LuauWorker", "LuauWorkerOptions"]) {
    assert(hasPlace(typescript, name.toLowerCase()), name);
  }
});
