// What the site shares with the playground: how Luau is read and coloured, and links that open a script there.

import { highlightCode, type Tag, tagHighlighter } from "@lezer/highlight";
import { parser as javascript } from "@lezer/javascript";
import {
  allDefinitions,
  type Definition,
  type NamedType,
  signature,
} from "../../www/src/editor/definitions.js";
import { highlighting, luauSupport } from "../../www/src/editor/language.js";
import { toHash } from "../../www/src/project.js";
import { OF_EXAMPLES, Server } from "../../www/src/server.js";

export { allDefinitions, type Definition, type NamedType, signature };

/** The part of a link to the playground that has a script in it. */
export async function linkTo(source: string): Promise<string> {
  // The playground puts its own server there.
  const files = new Server(OF_EXAMPLES).toKeep([{ name: "main", source: `${source}\n` }]);
  const hash = await toHash(files);
  if (hash === undefined) {
    throw new Error("a script in the documentation is too long for a link");
  }
  return hash;
}

/** The classes of code are called as the variables of the editor's colours: `keyword` is coloured `var(--code-keyword)`. */
const classes = tagHighlighter(
  highlighting.specs.map(({ tag, color }) => ({
    tag: tag as Tag | readonly Tag[],
    class: `code-${/--code-(\w+)/.exec(String(color))?.[1]}`,
  })),
);

const PARSERS = new Map([
  ["luau", luauSupport.language.parser],
  ["js", javascript],
  ["ts", javascript.configure({ dialect: "ts" })],
]);

const escaped = (text: string) =>
  text.replace(
    /[&<>"]/g,
    (char) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[char] ?? char,
  );

/** Code as HTML, with colours where the language is known. */
export function toHtml(code: string, language: string): string {
  const parser = PARSERS.get(language);
  if (parser === undefined) {
    return escaped(code);
  }
  let html = "";
  highlightCode(
    code,
    parser.parse(code),
    classes,
    (text, name) => {
      html += name === "" ? escaped(text) : `<span class="${name}">${escaped(text)}</span>`;
    },
    () => {
      html += "\n";
    },
  );
  return html;
}
