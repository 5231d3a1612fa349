// The code in Markdown, for those who show it and those who run it.

/**
 * A block of code.
 *
 * The word behind the three backquotes is its language. What may follow it, separated by a space: `browser`, for JavaScript that
 * runs in a page; `fails`, for a script that ends with an error; `from=FILE`, for a part of a file of this repository; `tried=VERSION`, for a
 * part of a project with a framework, which nothing runs and somebody has tried with that version. A block
 * `text output` is what the block before it prints.
 *
 * @typedef {object} Snippet
 * @property {string} language
 * @property {readonly string[]} marks
 * @property {string} code
 * @property {string | undefined} output what it prints, as far as the text says so
 * @property {number} line where it begins, from 1
 */

const BLOCK = /^```(\w+)([^\n]*)\n([\s\S]*?)\n```$/gm;

/**
 * All blocks of code of a text, in their order.
 *
 * @param {string} markdown
 * @returns {Snippet[]}
 */
export function snippetsOf(markdown) {
  /** @type {Snippet[]} */
  const snippets = [];
  for (const match of markdown.matchAll(BLOCK)) {
    const [, language = "", rest = "", code = ""] = match;
    const marks = rest.trim().split(/\s+/).filter(Boolean);
    const before = snippets.at(-1);
    if (marks.includes("output") && before !== undefined) {
      before.output = code;
    } else {
      const line = markdown.slice(0, match.index).split("\n").length;
      snippets.push({ language, marks, code, output: undefined, line });
    }
  }
  return snippets;
}

/**
 * Whether printed lines are those of an output, in which `…` stands for any text in a line.
 *
 * @param {string} output
 * @param {readonly string[]} printed
 */
export function isOutput(output, printed) {
  const expected = output.split("\n");
  const isSame = (/** @type {string} */ line, /** @type {string} */ text) => {
    const parts = line.split("…").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    return new RegExp(`^${parts.join(".*")}$`, "s").test(text);
  };
  return expected.length === printed.length && expected.every((line, at) => isSame(line, printed[at] ?? ""));
}
