import type { StringStream } from "@codemirror/language";

/**
 * What is open at a place: a bracket, a block, the head of a statement, or a type.
 *
 * - `function`, `then`, `do` and `repeat` are blocks; `else` too opens a `then`
 * - `if` and `loop` are heads: what stands before `then` or `do`
 * - `choice` is an `if` expression before its `else`
 * - `params` are the parameters of a function; `` ` `` is an interpolated string and `` `{ `` an expression in it
 * - `type` is a type outside of brackets; those with `type` before a bracket are brackets in types
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

/** One thing that is open, and what is open around it. Never changed: states share them. */
export interface Frame {
  readonly kind: FrameKind;
  /** The indentation of the line in which it begins, in columns. */
  readonly indent: number;
  readonly outer: Frame | undefined;
  /** How many are open with it. */
  readonly depth: number;
  /** The head of a block: the names that a `for` declares belong to its block. */
  readonly head?: Frame | undefined;
  /** Of brackets in a type: whether they are its begin, so that more of it follows. */
  readonly beginsType?: boolean;
}

/**
 * What came last: a whole operand; something after which an operand has to come; the dot or the colon before a name; `typeof` in a
 * type; or the begin of a statement.
 */
type Last = "operand" | "operator" | "dot" | "colon" | "typeof" | "statement";

/** What is being declared: names of variables, the name of a function, its results, or a type. */
type Declared = "names" | "function" | "results" | "type";

/** Where the tokenizer is. */
export interface State {
  top: Frame | undefined;
  last: Last;
  declared: Declared | undefined;
  /** Whether the type that is open still misses its end. */
  isTypeOpen: boolean;
  /** Whether the statement goes on in the next line: after a binary operator. */
  isContinued: boolean;
  /** The end of the long string or comment, or of the string over several lines, that is open. */
  closer: string | undefined;
  isComment: boolean;
  /** The indentation of the line, in columns. */
  indent: number;
}

/** A name, or a keyword. */
export const NAME = /^[A-Za-z_]\w*/;

/** The words that are keywords everywhere. */
export const KEYWORDS = new Set(
  (
    "and break do else elseif end false for function if in local nil not or repeat return then true until " +
    "while"
  ).split(" "),
);

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

/** Whether something is a block, which has local variables of its own. */
export function isBlock(frame: Frame): boolean {
  return BLOCKS.has(frame.kind);
}

/** What a word or a bracket closes, if that is open; brackets do not reach out of the block in which they stand. */
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

/** Where the tokenizer is before the first line. */
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

/** Notes what came last. */
export function ended(state: State, last: Last): void {
  state.last = last;
  state.isContinued = false;
  if (last === "operand") {
    state.isTypeOpen = false;
  }
}

/** What is open deeper than that is not told apart: no compiler takes it, and what looks outwards from there stays quick. */
const DEEPEST = 1_000;

export function open(state: State, kind: FrameKind): void {
  const depth = (state.top?.depth ?? 0) + 1;
  if (depth > DEEPEST) {
    return;
  }
  const beginsType = kind === "type<" && state.top?.kind === "type" && state.isTypeOpen;
  state.top = { kind, indent: state.indent, outer: state.top, depth, beginsType };
}

/** Puts a block in the place of its head, or of the block before it. */
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
    // The types that a generic function declares stand before its own.
    state.isTypeOpen = frame.beginsType ?? false;
    if (!frame.kind.startsWith("type")) {
      state.declared = frame.kind === "params" ? "results" : undefined;
    }
  }
  return bracketStyle(bracket);
}
