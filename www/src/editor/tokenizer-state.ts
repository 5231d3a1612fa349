import type { StringStream } from "@codemirror/language";

/**
 * Kinds of open syntax: a bracket, a block, the head of a statement, or a type.
 *
 * - `function`, `then`, `do` and `repeat` are blocks; `else` too opens a `then`
 * - `if` and `loop` are heads: the part before `then` or `do`
 * - `choice` is an `if` expression before its `else`
 * - `params` are the parameters of a function; `` ` `` is an interpolated string and `` `{ `` an expression in it
 * - `type` is a type outside of brackets; kinds that begin with `type` and end in a bracket are brackets in types
 */
export type FrameKind =
  | "function"
  | "then"
  | "do"
  | "repeat"
  | "if"
  | "loop"
  | "choice"
  | "("
  | "params"
  | "["
  | "{"
  | "`"
  | "`{"
  | "type"
  | "type("
  | "type["
  | "type{"
  | "type<";

/** One open frame and the frame around it. Immutable, because states share frames. */
export interface Frame {
  readonly kind: FrameKind;
  /** The indentation of the line in which it begins, in columns. */
  readonly indent: number;
  readonly outer: Frame | undefined;
  /** The number of open frames, including this one. */
  readonly depth: number;
  /** The head of a block: the names that a `for` declares belong to its block. */
  readonly head?: Frame | undefined;
  /** True for brackets that begin a type, so that more of the type follows. */
  readonly beginsType?: boolean;
}

/**
 * The kind of the last token: an operand; something that an operand must follow; the dot or the colon before a name;
 * `typeof` in a type; or the beginning of a statement.
 */
type Last = "operand" | "operator" | "dot" | "colon" | "typeof" | "statement";

/** The kind of declaration that is being read: variable names, a function's name, a function's results, or a type. */
type Declared = "names" | "function" | "results" | "type";

/** The state of the tokenizer. */
export interface State {
  top: Frame | undefined;
  last: Last;
  declared: Declared | undefined;
  /** True while the open type is incomplete. */
  isTypeOpen: boolean;
  /** True after a binary operator: the statement continues in the next line. */
  isContinued: boolean;
  /** The end of the open long string, long comment or multi-line string. */
  closer: string | undefined;
  isComment: boolean;
  /** The indentation of the current line, in columns. */
  indent: number;
}

const BLOCKS: ReadonlySet<FrameKind> = new Set(["function", "then", "do", "repeat"]);

const CLOSED_BY: Readonly<Record<string, readonly FrameKind[]>> = {
  ")": ["(", "params", "type("],
  "]": ["[", "type["],
  "}": ["{", "`{", "type{"],
  ">": ["type<"],
  end: ["function", "then", "do"],
  else: ["then"],
  elseif: ["then"],
  until: ["repeat"],
};

/** Returns true if a frame is a block with local variables of its own. */
export function isBlock(frame: Frame): boolean {
  return BLOCKS.has(frame.kind);
}

/** Returns the open frame that a word or a bracket closes. Brackets cannot close anything outside of their block. */
export function closedBy(top: Frame | undefined, closer: string): Frame | undefined {
  const kinds = CLOSED_BY[closer] ?? [];
  for (let frame = top; frame !== undefined; frame = frame.outer) {
    if (kinds.includes(frame.kind)) {
      return frame;
    }
    if (isBlock(frame) && closer.length === 1) {
      return undefined;
    }
  }
  return undefined;
}

/** Returns the state before the first line. */
export function startState(): State {
  return {
    top: undefined,
    last: "statement",
    declared: undefined,
    isTypeOpen: false,
    isContinued: false,
    closer: undefined,
    isComment: false,
    indent: 0,
  };
}

/** Records the kind of the last token. */
export function ended(state: State, last: Last): void {
  state.last = last;
  state.isContinued = false;
  if (last === "operand") {
    state.isTypeOpen = false;
  }
}

/** The deepest nesting that is tracked. The compiler accepts no deeper code, and walks outwards from there stay fast. */
const DEEPEST = 1_000;

export function open(state: State, kind: FrameKind): void {
  const depth = (state.top?.depth ?? 0) + 1;
  if (depth > DEEPEST) {
    return;
  }
  const beginsType = kind === "type<" && state.top?.kind === "type" && state.isTypeOpen;
  state.top = { kind, indent: state.indent, outer: state.top, depth, beginsType };
}

/** Replaces a head, or the block before, with a block. */
export function replace(state: State, frame: Frame, kind: FrameKind): void {
  state.top = { kind, indent: frame.indent, outer: frame.outer, depth: frame.depth, head: frame };
}

export function bracketStyle(bracket: string): string {
  return "()".includes(bracket)
    ? "paren"
    : "{}".includes(bracket)
      ? "brace"
      : "[]".includes(bracket)
        ? "squareBracket"
        : "angleBracket";
}

export function readCloser(stream: StringStream, state: State): string {
  const bracket = stream.next() ?? "";
  const frame = closedBy(state.top, bracket);
  if (frame !== undefined) {
    state.top = frame.outer;
    ended(state, "operand");
    // The generic types of a function type precede the function type itself.
    state.isTypeOpen = frame.beginsType ?? false;
    if (!frame.kind.startsWith("type")) {
      state.declared = frame.kind === "params" ? "results" : undefined;
    }
  }
  return bracketStyle(bracket);
}
