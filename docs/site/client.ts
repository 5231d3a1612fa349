// Runs on every page of the documentation: lets the reader choose the theme, and search.

import { createElement, element } from "../../www/src/shell/elements.js";
import { installTheme } from "../../www/src/shell/theme.js";
import type { Section } from "./search-index.mjs";

/** The maximum number of results. Nobody reads more. */
const MAX_RESULTS = 12;
/** Half the length of the excerpt around a match, in characters. */
const CONTEXT = 60;

const root = document.querySelector<HTMLScriptElement>("script[data-root]")?.dataset.root ?? "./";

installTheme();

// On a phone the contents would push the text down.
const contents = document.querySelector<HTMLDetailsElement>(".contents");
if (contents !== null && matchMedia("(width < 56rem)").matches) {
  contents.open = false;
}

const field = element("search", HTMLInputElement);
const list = element("search-results", HTMLUListElement);
const status = element("search-status", HTMLElement);
let sections: Promise<Section[]> | undefined;

async function search(): Promise<void> {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  sections ??= fetch(`${root}search.json`).then((response) => response.json());
  const found = words.length === 0 ? [] : rank(await sections, words).slice(0, MAX_RESULTS);
  list.replaceChildren(...found.map((section) => createResult(section, words)));
  list.hidden = found.length === 0;
  status.textContent = words.length === 0 ? "" : found.length === 1 ? "1 result" : `${found.length} results`;
}

/** Returns the sections that contain all the words. Those with the words in their headings come first. */
function rank(sections: readonly Section[], words: readonly string[]): Section[] {
  const scored = sections.map((section) => {
    const heading = `${section.heading} ${section.page}`.toLowerCase();
    const text = section.text.toLowerCase();
    let score = 0;
    for (const word of words) {
      const inHeading = section.heading.toLowerCase().includes(word) ? 10 : heading.includes(word) ? 4 : 0;
      const inText = Math.min(text.split(word).length - 1, 3);
      if (inHeading + inText === 0) {
        return { section, score: 0 };
      }
      score += inHeading + inText;
    }
    return { section, score };
  });
  return scored
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score)
    .map(({ section }) => section);
}

function createResult({ page, heading, url, text }: Section, words: readonly string[]): HTMLLIElement {
  const at = Math.max(0, text.toLowerCase().indexOf(words[0] ?? "") - CONTEXT / 2);
  const link = createElement("a");
  link.href = root + url;
  link.append(
    createElement("strong", "", heading === "" ? page : heading),
    createElement("span", "where", heading === "" ? "" : page),
    createElement("span", "text", text.slice(at, at + 2 * CONTEXT)),
  );
  const item = createElement("li");
  item.append(link);
  return item;
}

field.addEventListener("input", () => void search());
field.addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown") {
    event.preventDefault();
    list.querySelector("a")?.focus();
  } else if (event.key === "Escape") {
    field.value = "";
    void search();
  }
});
list.addEventListener("keydown", (event) => {
  const links = [...list.querySelectorAll("a")];
  const at = links.indexOf(document.activeElement as HTMLAnchorElement);
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    (links[at + (event.key === "ArrowDown" ? 1 : -1)] ?? field).focus();
  } else if (event.key === "Escape") {
    field.focus();
    list.hidden = true;
  }
});
