import { highlightCode } from "@lezer/highlight";
import { highlighting, luauSupport } from "./language.js";

/** Creates an element that shows a highlighted signature with its documentation below. */
export function description(signature: string, documentation: string): HTMLElement {
  const element = document.createElement("div");
  element.className = "cm-description";
  const code = document.createElement("code");
  // A declaration without a keyword is highlighted as a type, from the colon on.
  const [, path = "", type] = /^([\w.]+: )(.*)$/s.exec(signature) ?? [];
  const begin = type === undefined ? "" : "type T = ";
  const text = begin + (type ?? signature);
  const put = (text: string, classes = "") => {
    const part = document.createElement("span");
    part.className = classes;
    part.textContent = text;
    code.append(part);
  };
  put(path);
  const tree = luauSupport.language.parser.parse(text);
  highlightCode(text, tree, highlighting, put, () => put("\n"), begin.length);
  element.append(code);
  for (const paragraph of documentation.split(/\n\s*\n/).filter((text) => text.trim() !== "")) {
    const text = document.createElement("p");
    text.append(...inline(paragraph.replaceAll("\n", " ")));
    element.append(text);
  }
  return element;
}

/** Renders text between backticks as code, and addresses as links. */
function inline(text: string): (string | HTMLElement)[] {
  return text.split(/(`[^`]+`|https:\/\/[^\s,]*[^\s,.:;])/).map((part) => {
    if (part.startsWith("`") && part.length > 1) {
      const code = document.createElement("code");
      code.textContent = part.slice(1, -1);
      return code;
    }
    if (part.startsWith("https://")) {
      const link = document.createElement("a");
      link.href = part;
      link.textContent = part;
      link.target = "_blank";
      link.rel = "noopener";
      return link;
    }
    return part;
  });
}
