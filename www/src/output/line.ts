import { made } from "../shell/elements.js";
import type { Kind } from "../types.js";
import { CUT, type Line } from "./lines.js";
import { appendText } from "./places.js";
import { treeOf } from "./tree.js";
import { hasParts, preview } from "./values.js";

/** What the marks before the lines say to those who do not see them. */
const SAID: Readonly<Record<Kind, string>> = {
  print: "",
  warn: "Warning: ",
  error: "Error: ",
  system: "Playground: ",
};

/** How `tostring` calls what has no name of its own: the value itself says more. */
const ADDRESS = /^(?:table|buffer|userdata): 0x[\da-f]+$/;

/** Where the traceback in the text of an error begins. */
const TRACEBACK = /\n(?=\S+:\d+(?: function [^\n]*)?(?:\n|$))/;

/** A line as it is on screen. */
export function drawLine(line: Line, isChunk: (name: string) => boolean): HTMLElement {
  if (line.element !== undefined) {
    return line.element;
  }
  const row = made("div", "output-line");
  row.dataset.kind = line.kind;
  const mark = made("span", "output-mark");
  if (SAID[line.kind] !== "") {
    mark.append(made("span", "visually-hidden", SAID[line.kind]));
  }
  const text = made("div", "output-text");
  row.append(mark, made("span", "output-time", timeText(line.time)), text);
  const keep = () => {
    line.element = row;
  };
  if (line.values !== undefined) {
    appendValues(text, line, line.values, isChunk, keep);
  } else {
    appendCut(text, line, line.text, isChunk, keep);
  }
  return row;
}

/** The values of a line: those with parts as trees. */
function appendValues(
  parent: HTMLElement,
  line: Line,
  values: readonly unknown[],
  isChunk: (name: string) => boolean,
  keep: () => void,
): void {
  const texts = line.label === undefined ? line.text.split("\t") : values.map(preview);
  // A text with tabs of its own does not say which part of it is which value.
  const isEach = texts.length === values.length;
  if (line.label !== undefined || !isEach) {
    parent.append(line.label ?? line.text, " ");
  }
  for (const [index, value] of values.entries()) {
    if (index > 0 && isEach) {
      parent.append("\t");
    }
    const text = isEach ? (texts[index] ?? "") : "";
    if (!hasParts(value)) {
      appendCut(parent, line, text, isChunk, keep);
      continue;
    }
    // What a metamethod calls a table is shown as well.
    if (line.label === undefined && isEach && !ADDRESS.test(text)) {
      appendCut(parent, line, text, isChunk, keep);
      parent.append(" ");
    }
    parent.append(treeOf(value, keep));
  }
}

/** Adds a text, of which only so much is shown at first. */
function appendCut(
  parent: HTMLElement,
  line: Line,
  text: string,
  isChunk: (name: string) => boolean,
  keep: () => void,
): void {
  const holder = made("span");
  let [characters, rows] = [CUT.characters as number, CUT.rows as number];
  const draw = () => {
    const shown = cut(text, characters, rows);
    holder.replaceChildren();
    const traceback = line.kind === "error" ? shown.search(TRACEBACK) : -1;
    appendText(holder, traceback < 0 ? shown : shown.slice(0, traceback), isChunk);
    if (traceback >= 0) {
      const trace = made("span", "output-trace");
      appendText(trace, shown.slice(traceback), isChunk);
      holder.append(trace);
    }
    if (shown.length < text.length) {
      const [some, all] = [shown.length.toLocaleString("en"), text.length.toLocaleString("en")];
      const more = made("button", "output-more", `Show more (${some} of ${all} characters are shown)`);
      more.type = "button";
      more.addEventListener("click", () => {
        // Not all at once: a text of many megabytes takes the browser seconds.
        [characters, rows] = [characters * 10, rows * 10];
        draw();
        keep();
      });
      holder.append("… ", more);
    }
  };
  draw();
  parent.append(holder);
}

/** The start of a text. */
function cut(text: string, characters: number, rows: number): string {
  const end = Math.min(text.length, characters);
  let at = -1;
  for (let row = 0; row < rows; row += 1) {
    at = text.indexOf("\n", at + 1);
    if (at < 0 || at >= end) {
      return text.slice(0, isSplit(text, end) ? end - 1 : end);
    }
  }
  return text.slice(0, at);
}

/** Whether a character would be cut in two. */
function isSplit(text: string, at: number): boolean {
  return at < text.length && (text.codePointAt(at - 1) ?? 0) > 0xffff;
}

/** Since the run began: seconds, and minutes where there are some. */
function timeText(milliseconds: number): string {
  const seconds = (milliseconds / 1_000) % 60;
  const minutes = Math.floor(milliseconds / 60_000);
  return minutes > 0 ? `${minutes}:${seconds.toFixed(3).padStart(6, "0")}` : seconds.toFixed(3);
}
