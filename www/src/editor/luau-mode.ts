import { foldService, type IndentContext, LanguageSupport, StreamLanguage } from "@codemirror/language";
import type { Text } from "@codemirror/state";
import { type Scan, scanOf } from "./scan.js";
import { readToken } from "./tokenizer.js";
import { closedBy, type Frame, isBlock, type State, startState } from "./tokenizer-state.js";

/** A word or a bracket that closes what the preceding lines opened. */
const CLOSER = /^(?:(?:end|else|elseif|until)\b|[)\]}])/;

/** The Luau language: highlighting, indentation, folding, comments and brackets. */
export function luau(globals: ReadonlySet<string>): LanguageSupport {
  return new LanguageSupport(luauLanguage(globals), [
    foldService.of((state, from, to) => foldedLines(scanOf(state.doc), state.doc, from, to)),
  ]);
}

/** @param globals the names that every script has */
export function luauLanguage(globals: ReadonlySet<string>): StreamLanguage<State> {
  return StreamLanguage.define<State>({
    name: "luau",
    startState,
    copyState: (state) => ({ ...state }),
    token: (stream, state) => readToken(stream, state, globals),
    indent: indentation,
    languageData: {
      commentTokens: { line: "--", block: { open: "--[[", close: "]]" } },
      closeBrackets: { brackets: ["(", "[", "{", '"', "'", "`"] },
      // Allows one more letter, because it may turn the keyword into another word, which must not keep the keyword's
      // indentation.
      indentOnInput: /^\s*(?:end|else|elseif|until|then|do)\w?$|^\s*[)\]}]$/,
    },
  });
}

/** Returns the indentation of a line, in columns; null in a string or a comment, where the line keeps its own. */
export function indentation(
  state: State,
  textAfter: string,
  context: Pick<IndentContext, "unit">,
): number | null {
  if (state.closer !== undefined || state.top?.kind === "`") {
    return null;
  }
  const { top, isHead } = outsideOfType(state, textAfter);
  const unit = context.unit;
  const closer = CLOSER.exec(textAfter)?.[0];
  if (closer !== undefined && !(top?.kind === "choice" && closer.startsWith("else"))) {
    const closed = closedBy(top, closer);
    if (closed !== undefined) {
      return closed.indent;
    }
  }
  if (
    (top?.kind === "if" && /^then\b/.test(textAfter)) ||
    (top?.kind === "loop" && /^do\b/.test(textAfter))
  ) {
    return top.indent;
  }
  const inside = top === undefined ? 0 : top.indent + unit;
  const isBracket = top !== undefined && !isBlock(top);
  const isContinued =
    isHead || state.isContinued || /^(?:[:.]\s*[A-Za-z_]|\.\.[^.]|(?:and|or)\b)/.test(textAfter);
  return isContinued && !isBracket ? inside + unit : inside;
}

/** Returns what is open around a type that ends here, and true if the type continues instead. */
function outsideOfType(state: State, textAfter: string): { top: Frame | undefined; isHead: boolean } {
  const { top } = state;
  if (top?.kind !== "type") {
    return { top, isHead: false };
  }
  return { top: top.outer, isHead: state.isTypeOpen || /^(?:[|&]|->)/.test(textAfter) };
}

/** Returns the range that can be folded from a line: everything up to the line in which it ends. */
export function foldedLines(
  { tokens, spans }: Scan,
  doc: Text,
  from: number,
  to: number,
): { from: number; to: number } | null {
  let found: { from: number; to: number } | null = null;
  let lastLine = 0;
  for (const { open, close } of spansIn(spans, tokens, from, to)) {
    const end = tokens[close]?.from ?? 0;
    const line = doc.lineAt(end).number;
    // Prefers the range with most lines. If several end in the same line, takes the one that ends first, so that the
    // others' ends stay visible.
    if (end > to && (line > lastLine || (line === lastLine && end < (found?.to ?? 0)))) {
      lastLine = line;
      found = { from: Math.max(to, tokens[open]?.to ?? to), to: end };
    }
  }
  return found;
}

function* spansIn(
  spans: Scan["spans"],
  tokens: Scan["tokens"],
  from: number,
  to: number,
): Iterable<{ open: number; close: number }> {
  // The spans are sorted by where they begin.
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((tokens[spans[middle]?.open ?? 0]?.from ?? 0) < from) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  for (let index = low; index < spans.length; index++) {
    const { open, close, frame } = spans[index] as Scan["spans"][number];
    if ((tokens[open]?.from ?? 0) > to) {
      return;
    }
    if (close !== undefined && frame.kind !== "type" && frame.kind !== "if" && frame.kind !== "loop") {
      yield { open, close };
    }
  }
}
