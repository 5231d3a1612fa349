import { indentString, indentUnit } from "@codemirror/language";
import { EditorSelection, type StateCommand } from "@codemirror/state";
import { scan } from "./scan.js";
import { type Frame, isBlock } from "./tokenizer-state.js";

/** An unclosed block that was just begun. */
export interface Opened {
  /** The indentation of the line in which the block begins, in columns. */
  readonly indent: number;
  readonly closer: "end" | "until ";
}

/**
 * Returns the unclosed block that begins right before an offset, at the end of its line. A closer that is indented less
 * belongs to another block.
 */
export function openedBefore(source: string, offset: number): Opened | undefined {
  const lineEnd = source.indexOf("\n", offset);
  const rest = source.slice(offset, lineEnd < 0 ? undefined : lineEnd);
  if (!/^[)\]},; \t]*$/.test(rest)) {
    return undefined;
  }
  const { tokens, end } = scan(source.slice(0, offset));
  let top: Frame | undefined = end.top;
  if (top?.kind === "type" && !end.isTypeOpen) {
    top = top.outer;
  }
  const isInLine = (tokens.at(-1)?.from ?? -1) >= source.lastIndexOf("\n", offset - 1);
  const isBegun = top?.kind === "function" ? end.declared !== "function" : end.last === "statement";
  if (top === undefined || !isBlock(top) || !isBegun || !isInLine || end.closer !== undefined) {
    return undefined;
  }
  const whole = scan(source);
  const open = scan(source.slice(0, offset)).spanOf.get(top)?.open ?? -1;
  // A function that continues below the line in which it begins was not begun just now.
  if ((tokens[open]?.from ?? 0) < source.lastIndexOf("\n", offset - 1)) {
    return undefined;
  }
  const span = whole.spans.find(({ open: at, frame }) => at === open && isBlock(frame));
  const close = span?.close === undefined ? undefined : whole.tokens[span.close];
  if (close !== undefined && indentOf(source, close.from) >= top.indent) {
    return undefined;
  }
  return { indent: top.indent, closer: top.kind === "repeat" ? "until " : "end" };
}

/** Returns the indentation of the line of an offset, in columns. */
function indentOf(source: string, offset: number): number {
  const begin = source.lastIndexOf("\n", offset - 1) + 1;
  let columns = 0;
  for (const char of source.slice(begin, offset)) {
    if (char !== " " && char !== "\t") {
      break;
    }
    columns += char === "\t" ? 4 - (columns % 4) : 1;
  }
  return columns;
}

/** Breaks the line after the start of a block and closes the block. */
export const closeBlock: StateCommand = ({ state, dispatch }) => {
  const { main, ranges } = state.selection;
  if (state.readOnly || ranges.length > 1 || !main.empty) {
    return false;
  }
  const opened = openedBefore(state.doc.toString(), main.head);
  if (opened === undefined) {
    return false;
  }
  const { indent, closer } = opened;
  const inside = `${state.lineBreak}${indentString(state, indent)}${state.facet(indentUnit)}`;
  const insert = `${inside}${state.lineBreak}${indentString(state, indent)}${closer}`;
  // Removes spaces before the rest of the line; they would end up after the closer.
  const rest = /^\s*/.exec(
    state.doc.lineAt(main.head).text.slice(main.head - state.doc.lineAt(main.head).from),
  );
  dispatch(
    state.update({
      changes: { from: main.head, to: main.head + (rest?.[0].length ?? 0), insert },
      selection: EditorSelection.cursor(main.head + inside.length),
      scrollIntoView: true,
      userEvent: "input",
    }),
  );
  return true;
};
