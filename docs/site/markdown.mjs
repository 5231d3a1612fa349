// How Markdown becomes HTML: headings with places to link to, code with colours, and links from page to page.

/** @typedef {import("./search-index.mjs").SearchIndex} SearchIndex */

/**
 * Tells markdown-it what is done here.
 *
 * @param {any} markdown the instance
 * @param {object} parts
 * @param {(code: string, language: string) => string} parts.toHtml code as HTML
 * @param {ReadonlyMap<string, string>} parts.links the scripts that can be tried, and the links that open them
 * @param {SearchIndex} parts.index takes what can be searched
 */
export function extend(markdown, { toHtml, links, index }) {
  markdown.core.ruler.push("places", (/** @type {any} */ state) => {
    const page = state.env.page?.filePathStem ?? "";
    const slugs = new Set();
    index.begin(page, state.env.title ?? "");
    for (const [at, token] of state.tokens.entries()) {
      const inline = state.tokens[at + 1];
      if (token.type === "heading_open") {
        token.attrSet("id", unique(slugOf(inline.content), slugs));
        index.heading(inline.content, token.attrGet("id"));
      } else if (token.type === "inline" && state.tokens[at - 1]?.type !== "heading_open") {
        index.text(token.children.map((/** @type {any} */ { content }) => content).join(" "));
      } else if (token.type === "fence") {
        index.text(token.content);
      }
    }
  });

  markdown.renderer.rules.fence = (/** @type {any[]} */ tokens, /** @type {number} */ at) => {
    const { content, info } = tokens[at];
    const [language = "", ...marks] = info.trim().split(/\s+/);
    const code = content.replace(/\n$/, "");
    const link = links.get(code);
    const label = marks.includes("output") ? "Output" : "Code";
    // Focusable, since what does not fit is scrolled.
    const block = `<pre tabindex="0" role="region" aria-label="${label}"><code>${toHtml(code, language)}</code></pre>`;
    const open =
      link === undefined ? "" : `<a class="button small" data-playground="${link}" href="${link}">Try it</a>`;
    return `<div class="code${label === "Output" ? " output" : ""}">${block}${open}</div>\n`;
  };

  markdown.renderer.rules.table_open = () =>
    '<div class="table" tabindex="0" role="region" aria-label="Table"><table>';
  markdown.renderer.rules.table_close = () => "</table></div>";

  markdown.core.ruler.push("links", (/** @type {any} */ state) => {
    for (const token of state.tokens.flatMap((/** @type {any} */ token) => token.children ?? [])) {
      const href = token.type === "link_open" ? token.attrGet("href") : null;
      if (href !== null && !/^\w+:/.test(href)) {
        token.attrSet("href", href.replace(/\.md(?=#|$)/, ".html"));
      }
    }
  });
}

/**
 * The place of a heading, as GitHub names it too.
 *
 * @param {string} heading
 */
function slugOf(heading) {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .trim()
    .replace(/\s/g, "-");
}

/** @param {string} slug @param {Set<string>} slugs */
function unique(slug, slugs) {
  let name = slug;
  for (let count = 1; slugs.has(name); count++) {
    name = `${slug}-${count}`;
  }
  slugs.add(name);
  return name;
}
