import type { StringStream } from "@codemirror/language";
import { KEYWORDS, WORD } from "../names.js";
import { bracketStyle, ended, type FrameKind, open, readCloser, type State } from "./tokenizer-state.js";

/** Returns true if the next token is in a type. */
export function isInType(state: State): boolean {
  return state.top?.kind.startsWith("type") ?? false;
}

/** Reads a token of a type; returns undefined if the next one does not belong to it. */
export function readType(stream: StringStream, state: State): string | undefined {
  const isBare = state.top?.kind === "type";
  const isComplete = isBare && !state.isTypeOpen;
  const word = (stream.match(WORD, false) as RegExpMatchArray | null)?.[0];
  if (word !== undefined) {
    if (isComplete || (KEYWORDS.has(word) && !/^(?:nil|true|false)$/.test(word))) {
      return undefined;
    }
    stream.match(WORD);
    return typeName(stream, state, word);
  }
  const operator = (stream.match(/^(?:->|\.\.\.|[|&?.:,;=])/, false) as RegExpMatchArray | null)?.[0];
  if (operator !== undefined) {
    if (isBare && /^[:,;=]$/.test(operator)) {
      return undefined;
    }
    stream.match(operator);
    if (operator === "?" || (operator === "..." && isComplete)) {
      ended(state, "operand");
    } else {
      ended(state, "operator");
      state.isTypeOpen = true;
    }
    return /^[.,;:]$/.test(operator) ? "punctuation" : "operator";
  }
  const bracket = stream.peek() ?? "";
  if (")]}>".includes(bracket)) {
    return isBare ? undefined : readCloser(stream, state);
  }
  // After a complete type, only its type arguments belong to it.
  if (bracket !== "<" && (isComplete || !"({[".includes(bracket))) {
    return undefined;
  }
  stream.next();
  open(state, bracket === "(" && state.last === "typeof" ? "(" : (`type${bracket}` as FrameKind));
  ended(state, "operator");
  return bracketStyle(bracket);
}

function typeName(stream: StringStream, state: State, word: string): string {
  const kind = state.top?.kind;
  if (word === "typeof" && stream.match(/^\s*\(/, false)) {
    ended(state, "typeof");
    return "keyword";
  }
  if (kind === "type{" && /^(?:read|write)$/.test(word) && stream.match(/^\s+[A-Za-z_[]/, false)) {
    return "modifier";
  }
  ended(state, "operand");
  if ((kind === "type{" || kind === "type(") && stream.match(/^\s*:(?!:)/, false)) {
    return kind === "type{" ? "propertyName" : "variableName";
  }
  return word === "nil" ? "null" : word === "true" || word === "false" ? "bool" : "typeName";
}
