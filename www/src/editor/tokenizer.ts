import type { StringStream } from "@codemirror/language";
import { KEYWORDS, WORD } from "../names.js";
import {
  bracketStyle,
  closedBy,
  ended,
  type FrameKind,
  open,
  readCloser,
  replace,
  type State,
} from "./tokenizer-state.js";
import { isInType, readType } from "./tokenizer-types.js";

/** Keywords that cannot occur in an expression or a type. They end one that was left unfinished. */
const STATEMENTS = new Set("break do end for local repeat return until while".split(" "));

const NUMBER = /^(?:0[xX][\da-fA-F_]*|0[bB][01_]*|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?[\d_]*)?)/;
const ESCAPE = /^\\(?:[abfnrtv\\"'`{z]|x[\da-fA-F]{2}|\d{1,3}|u\{[\da-fA-F]+\})/;
const OPERATOR = /^(?:\.\.\.|\.\.=?|\/\/=?|->|::|[+\-*/%^]=|[=~<>]=|[+\-*/%^#=<>|&?])/;
/** The beginning of arguments, which makes a name a call. */
const ARGUMENTS = /^\s*(?:[({"'`]|\[=*\[)/;

/**
 * Reads one token and returns the names of its highlighting tags; null if it has none.
 *
 * @param globals the names that every script has
 */
export function readToken(stream: StringStream, state: State, globals: ReadonlySet<string>): string | null {
  if (state.closer !== undefined) {
    return readString(stream, state);
  }
  if (state.top?.kind === "`") {
    return readInterpolated(stream, state);
  }
  if (stream.sol()) {
    state.indent = stream.indentation();
  }
  if (stream.eatSpace()) {
    return null;
  }
  if (stream.match("--")) {
    return readComment(stream, state);
  }
  const long = stream.match(/^\[(=*)\[/) as RegExpMatchArray | null;
  if (long !== null) {
    beginOperand(state);
    state.closer = `]${long[1]}]`;
    return readString(stream, state);
  }
  const quote = stream.match(/^["']/) as RegExpMatchArray | null;
  if (quote !== null) {
    beginOperand(state);
    state.closer = quote[0];
    return stream.match(ESCAPE, false) ? "string" : readString(stream, state);
  }
  while (isInType(state)) {
    const style = readType(stream, state);
    if (style !== undefined) {
      return style;
    }
    // The token does not belong to the type, so the type ends here.
    state.top = state.top?.outer;
  }
  return readCode(stream, state, globals);
}

/** Begins a string, which may be a value or a type. */
function beginOperand(state: State): void {
  if (state.top?.kind === "type" && !state.isTypeOpen) {
    state.top = state.top.outer;
  }
  ended(state, "operand");
}

function readComment(stream: StringStream, state: State): string {
  const long = stream.match(/^\[(=*)\[/) as RegExpMatchArray | null;
  if (long !== null) {
    state.closer = `]${long[1]}]`;
    state.isComment = true;
    return readString(stream, state);
  }
  const isDirective = stream.match(/^!\w/);
  stream.skipToEnd();
  return isDirective ? "meta" : "comment";
}

/** Reads up to the closer of a long string or comment, or of a quoted string, which has escapes. */
function readString(stream: StringStream, state: State): string {
  const closer = state.closer ?? "";
  const style = state.isComment ? "comment" : "string";
  const end = () => {
    state.closer = undefined;
    state.isComment = false;
  };
  if (closer.length > 1) {
    if (stream.skipTo(closer)) {
      stream.match(closer);
      end();
    } else {
      stream.skipToEnd();
    }
    return style;
  }
  if (stream.match(ESCAPE)) {
    if (stream.eol() && !stream.string.endsWith("\\z")) {
      end();
    }
    return "escape";
  }
  // A line break after a backslash is part of the string; without one it ends the string.
  while (!stream.eol()) {
    const char = stream.peek();
    if (char === "\\") {
      if (stream.pos + 1 === stream.string.length) {
        stream.next();
        return style;
      }
      if (stream.match(ESCAPE, false)) {
        return style;
      }
      stream.next();
    }
    stream.next();
    if (char === closer) {
      end();
      return style;
    }
  }
  end();
  return style;
}

function readInterpolated(stream: StringStream, state: State): string {
  if (stream.eat("{")) {
    open(state, "`{");
    ended(state, "operator");
    return "brace";
  }
  const isEscape = stream.match(ESCAPE);
  while (!isEscape && !stream.eol()) {
    const char = stream.peek();
    if (char === "{" || (char === "\\" && stream.match(ESCAPE, false))) {
      return "string";
    }
    stream.next();
    if (char === "`") {
      state.top = state.top?.outer;
      ended(state, "operand");
      return "string";
    }
  }
  if (stream.eol() && !/\\z?$/.test(stream.string)) {
    state.top = state.top?.outer;
    ended(state, "operand");
  }
  return isEscape ? "escape" : "string";
}

function readCode(stream: StringStream, state: State, globals: ReadonlySet<string>): string | null {
  const word = (stream.match(WORD) as RegExpMatchArray | null)?.[0];
  if (word !== undefined) {
    return KEYWORDS.has(word) ? readKeyword(state, word) : readName(stream, state, word, globals);
  }
  if (/\d/.test(stream.peek() ?? "") || stream.match(/^\.\d/, false)) {
    stream.match(NUMBER);
    state.declared = undefined;
    ended(state, "operand");
    return "number";
  }
  if (stream.match(/^@[\w]*/)) {
    if (stream.eat("[")) {
      open(state, "[");
      ended(state, "operator");
    }
    return "meta";
  }
  const char = stream.peek() ?? "";
  if (")]}".includes(char)) {
    return readCloser(stream, state);
  }
  if (char === "`") {
    stream.next();
    open(state, "`");
    state.declared = undefined;
    return "string";
  }
  if ("({[".includes(char)) {
    stream.next();
    open(state, char === "(" && state.declared === "function" ? "params" : (char as FrameKind));
    state.declared = undefined;
    ended(state, "operator");
    return bracketStyle(char);
  }
  if (char === "<" && (state.declared === "function" || state.declared === "type")) {
    stream.next();
    open(state, "type<");
    return "angleBracket";
  }
  // The explicit type arguments of a generic call: f<<number>>(1).
  if (state.last === "operand" && stream.match("<<")) {
    open(state, "type<");
    open(state, "type<");
    return "angleBracket";
  }
  return readOperator(stream, state);
}

function readOperator(stream: StringStream, state: State): string | null {
  const operator = (stream.match(OPERATOR) as RegExpMatchArray | null)?.[0] ?? stream.next() ?? "";
  const { declared } = state;
  if (operator === "::") {
    openType(state);
    return "operator";
  }
  switch (operator) {
    case "...":
      ended(state, "operand");
      return "variableName.special";
    case ",":
      state.declared = declared === "names" ? declared : undefined;
      ended(state, "operator");
      return "punctuation";
    case ";":
      state.declared = undefined;
      ended(state, state.top?.kind === "{" ? "operator" : "statement");
      return "punctuation";
    case ".":
      ended(state, "dot");
      return "punctuation";
    case ":":
      if (declared === "names" || declared === "results" || state.top?.kind === "params") {
        openType(state);
      } else {
        ended(state, "colon");
      }
      return "punctuation";
    case "=":
      ended(state, "operator");
      state.isContinued = true;
      if (declared === "type") {
        openType(state);
      }
      state.declared = undefined;
      return "definitionOperator";
    default:
      if (!/^[+\-*/%^#=<>|&?.~]/.test(operator)) {
        return null;
      }
      state.declared = undefined;
      ended(state, "operator");
      state.isContinued = true;
      return "operator";
  }
}

function openType(state: State): void {
  open(state, "type");
  ended(state, "operator");
  state.declared = state.declared === "names" ? "names" : undefined;
  state.isTypeOpen = true;
}

function readKeyword(state: State, word: string): string {
  const isNested = state.last === "operator";
  if (STATEMENTS.has(word)) {
    while (state.top?.kind === "choice") {
      state.top = state.top.outer;
    }
  }
  const { top } = state;
  state.declared = undefined;
  switch (word) {
    case "nil":
      ended(state, "operand");
      return "null";
    case "true":
    case "false":
      ended(state, "operand");
      return "bool";
    case "and":
    case "or":
    case "not":
      ended(state, "operator");
      state.isContinued = true;
      return "operatorKeyword";
    case "local":
      state.declared = "names";
      ended(state, "operator");
      return "definitionKeyword";
    case "function":
      open(state, "function");
      state.declared = "function";
      ended(state, "operator");
      return "definitionKeyword";
    case "for":
    case "while":
      open(state, "loop");
      state.declared = word === "for" ? "names" : undefined;
      break;
    case "if":
      open(state, isNested ? "choice" : "if");
      break;
    case "repeat":
      open(state, "repeat");
      ended(state, "statement");
      return "controlKeyword";
    case "do":
      if (top?.kind === "loop") {
        replace(state, top, "do");
      } else {
        open(state, "do");
      }
      ended(state, "statement");
      return "controlKeyword";
    case "then":
      if (top?.kind === "if") {
        replace(state, top, "then");
      }
      ended(state, top?.kind === "choice" ? "operator" : "statement");
      return "controlKeyword";
    case "else":
    case "elseif":
      readElse(state, word);
      return "controlKeyword";
    case "until":
    case "end":
      state.top = (closedBy(top, word) ?? { outer: top }).outer;
      ended(state, word === "end" ? "operand" : "operator");
      return "controlKeyword";
    case "break":
      ended(state, "operand");
      return "controlKeyword";
  }
  ended(state, "operator");
  return "controlKeyword";
}

function readElse(state: State, word: string): void {
  const { top } = state;
  if (top?.kind === "choice") {
    state.top = word === "else" ? top.outer : top;
    ended(state, "operator");
    return;
  }
  const frame = closedBy(top, word);
  if (frame !== undefined) {
    replace(state, frame, word === "else" ? "then" : "if");
  }
  ended(state, word === "else" ? "statement" : "operator");
}

/** Words that are keywords only at the beginning of a statement, with a pattern for what must follow. */
const WORDS: Readonly<Record<string, RegExp>> = {
  type: /^\s+[A-Za-z_]/,
  export: /^\s+(?:type|local|const|function)\b/,
  const: /^\s+[A-Za-z_]/,
  continue: /^\s*(?:--|;|$|\}|[A-Za-z_])/,
};

function readName(stream: StringStream, state: State, word: string, globals: ReadonlySet<string>): string {
  const { last, declared } = state;
  const isMember = last === "dot" || last === "colon";
  if (!isMember && last !== "operator" && Object.hasOwn(WORDS, word)) {
    if (stream.match(WORDS[word] as RegExp, false)) {
      return readWord(state, word);
    }
  }
  ended(state, "operand");
  if (declared === "function") {
    return isMember ? "propertyName.definition.function" : "variableName.definition.function";
  }
  if (declared === "type") {
    return "typeName.definition";
  }
  // A name that follows another without a comma does not belong to the declaration.
  state.declared = declared === "names" && last === "operator" ? declared : undefined;
  if (state.declared !== undefined || (state.top?.kind === "params" && last === "operator")) {
    return "variableName.definition";
  }
  const isCall = stream.match(ARGUMENTS, false);
  if (isMember) {
    return isCall ? "propertyName.function" : "propertyName";
  }
  if (state.top?.kind === "{" && last === "operator" && stream.match(/^\s*=(?!=)/, false)) {
    return "propertyName.definition";
  }
  if (word === "self") {
    return "self";
  }
  if (globals.has(word)) {
    return isCall ? "variableName.standard.function" : "variableName.standard";
  }
  return isCall ? "variableName.function" : "variableName";
}

function readWord(state: State, word: string): string {
  if (word === "continue") {
    ended(state, "operand");
    return "controlKeyword";
  }
  state.declared = word === "type" ? "type" : word === "const" ? "names" : undefined;
  ended(state, word === "const" ? "operator" : "statement");
  return "definitionKeyword";
}
