import { createElement } from "../shell/elements.js";
import type { Place } from "../types.js";

/** A chunk name and line as Luau writes them, but not in the middle of an address or another word. */
const PLACE = /(?<![\w@./:-])(@?[\w-][\w./-]*):(\d{1,7})(?![\w.])/g;

const places = new WeakMap<Element, Place>();

/** Adds a text to an element, with links for the places in scripts. */
export function appendText(parent: HTMLElement, text: string, isChunk: (name: string) => boolean): void {
  let end = 0;
  for (const match of text.matchAll(PLACE)) {
    const [all, chunkName = "", line = ""] = match;
    if (isChunk(chunkName)) {
      const link = createElement("a", "output-place", all);
      link.href = "#";
      link.title = `Show line ${line} of ${chunkName}.luau`;
      places.set(link, { chunkName, line: Number(line) });
      parent.append(text.slice(end, match.index), link);
      end = match.index + all.length;
    }
  }
  parent.append(text.slice(end));
}

/** Returns the place that a link of {@link appendText} leads to; undefined for other elements. */
export function placeOf(target: EventTarget | null): Place | undefined {
  return target instanceof Element ? places.get(target) : undefined;
}
