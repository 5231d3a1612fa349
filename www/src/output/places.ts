import { made } from "../shell/elements.js";
import type { Place } from "../types.js";

/** The name of a chunk and a line, as Luau writes them. Not in the middle of an address or of another word. */
const PLACE = /(?<![\w@./:-])(@?[\w-][\w./-]*):(\d{1,7})(?![\w.])/g;

const places = new WeakMap<Element, Place>();

/** Adds a text to an element, in which the places in scripts are links. */
export function appendText(parent: HTMLElement, text: string, isChunk: (name: string) => boolean): void {
  let end = 0;
  for (const match of text.matchAll(PLACE)) {
    const [all, chunkName = "", line = ""] = match;
    if (isChunk(chunkName)) {
      const link = made("a", "output-place", all);
      link.href = "#";
      link.title = `Show line ${line} of ${chunkName}.luau`;
      places.set(link, { chunkName, line: Number(line) });
      parent.append(text.slice(end, match.index), link);
      end = match.index + all.length;
    }
  }
  parent.append(text.slice(end));
}

/** The place that an element of {@link appendText} leads to, if it is one of its links. */
export function placeOf(target: EventTarget | null): Place | undefined {
  return target instanceof Element ? places.get(target) : undefined;
}
