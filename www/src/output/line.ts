import { createElement } from "../shell/elements.js";
import type { Kind } from "../types.js";
import { CUT, isLabel, type Line } from "./lines.js";
import { appendText } from "./places.js";
import { treeOf } from "./tree.js";
import { hasParts, preview } from "./values.js";

/** Text alternatives for the marks before lines, for screen readers. */
const SAID: Readonly<Record<Kind, string>> = {
  print: "",
  warn: "Warning: ",
  error: "Error: ",
  system: "Playground: ",
};

/** The `tostring` of a value without a name of its own. The value itself says more. */
const ADDRESS = /^(?:table|buffer|userdata): 0x[\da-f]+$/;

/** The beginning of the traceback in an error's text. */
const TRACEBACK = /\n(?=\S+:\d+(?: function [^\n]*)?(?:\n|$))/;

/** Creates the element of a line. */
export function drawLine(line: Line, isChunk: (name: string) => boolean): HTMLElement {
  if (line.element !== undefined) {
    return line.element;
  }
  const row = createElement("div", "output-line");
  row.dataset.kind = line.kind;
  const mark = createElement("span", "output-mark");
  if (SAID[line.kind] !== "") {
    mark.append(createElement("span", "visually-hidden", SAID[line.kind]));
  }
  const text = createElement("div", "output-text");
  row.append(mark, createElement("span", "output-time", timeText(line.time)), text);
  const keep = () => {
    line.element = row;
  };
  if (line.values !== undefined) {
    appendValues(text, line, line.values, isChunk, keep);
  } else {
    appendCut(text, line, line.text, isChunk, keep);
  }
  if (line.after !== "") {
    appendCut(text, line, `\n${line.after}`, isChunk, keep);
  }
  if (text.textContent?.endsWith("\n")) {
    // The browser shows no row for a trailing newline.
    text.append(createElement("br"));
  }
  return row;
}

/** Returns the text of a line as it is on screen. */
export function textOf(line: Line): string {
  const { text, values, after } = line;
  if (values === undefined) {
    return text;
  }
  const pieces = piecesOf(line, values).map(({ text, value }) => [text, value].filter(Boolean).join(" "));
  const shown = isLabel(line.kind) ? [text, ...pieces].join(" ") : pieces.join("\t");
  return after === "" ? shown : `${shown}\n${after}`;
}

/** Returns the parts to show for each value: its text if that is informative, and a tree if it can be expanded. */
function piecesOf(
  line: Line,
  values: readonly unknown[],
): { readonly text: string; readonly value: string; readonly tree?: unknown }[] {
  if (isLabel(line.kind)) {
    return values.map((value) =>
      hasParts(value)
        ? { text: "", value: preview(value), tree: value }
        : { text: preview(value), value: "" },
    );
  }
  const texts = line.text.split("\t");
  if (texts.length !== values.length) {
    // A text with tabs of its own cannot be split by value.
    const trees = values.filter(hasParts).map((tree) => ({ text: "", value: preview(tree), tree }));
    return [{ text: line.text, value: "" }, ...trees];
  }
  return values.map((value, index) => {
    const text = texts[index] ?? "";
    // A custom text from a metamethod is shown as well.
    return hasParts(value)
      ? { text: ADDRESS.test(text) ? "" : text, value: preview(value), tree: value }
      : { text, value: "" };
  });
}

/** Adds the values of a line. Those with parts become trees. */
function appendValues(
  parent: HTMLElement,
  line: Line,
  values: readonly unknown[],
  isChunk: (name: string) => boolean,
  keep: () => void,
): void {
  if (isLabel(line.kind)) {
    appendCut(parent, line, line.text, isChunk, keep);
    parent.append(" ");
  }
  for (const [index, { text, tree }] of piecesOf(line, values).entries()) {
    if (index > 0) {
      parent.append(isLabel(line.kind) ? " " : "\t");
    }
    if (text !== "") {
      appendCut(parent, line, text, isChunk, keep);
    }
    if (tree !== undefined) {
      parent.append(text === "" ? "" : " ", treeOf(tree, keep));
    }
  }
}

/** Adds a text that is truncated at first. */
function appendCut(
  parent: HTMLElement,
  line: Line,
  text: string,
  isChunk: (name: string) => boolean,
  keep: () => void,
): void {
  const holder = createElement("span");
  let [characters, rows] = [CUT.characters as number, CUT.rows as number];
  const draw = () => {
    const shown = cut(text, characters, rows);
    holder.replaceChildren();
    const traceback = line.kind === "error" ? shown.search(TRACEBACK) : -1;
    appendText(holder, traceback < 0 ? shown : shown.slice(0, traceback), isChunk);
    if (traceback >= 0) {
      const trace = createElement("span", "output-trace");
      appendText(trace, shown.slice(traceback), isChunk);
      holder.append(trace);
    }
    if (shown.length < text.length) {
      const [some, all] = [shown.length.toLocaleString("en"), text.length.toLocaleString("en")];
      const more = createElement("button", "output-more", `Show more (${some} of ${all} characters shown)`);
      more.type = "button";
      more.addEventListener("click", () => {
        // Shows more step by step, because a text of many megabytes takes the browser seconds.
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

/** Returns the beginning of a text. */
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

/** Returns true if a surrogate pair would be cut in two. */
function isSplit(text: string, at: number): boolean {
  return at < text.length && (text.codePointAt(at - 1) ?? 0) > 0xffff;
}

/** Formats the time since the run began, in seconds, and in minutes if there are any. */
function timeText(milliseconds: number): string {
  const seconds = (milliseconds / 1_000) % 60;
  const minutes = Math.floor(milliseconds / 60_000);
  return minutes > 0 ? `${minutes}:${seconds.toFixed(3).padStart(6, "0")}` : seconds.toFixed(3);
}
