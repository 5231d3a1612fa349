import { StringStream } from "@codemirror/language";
import type { Text } from "@codemirror/state";
import { readToken } from "./tokenizer.js";
import { type Frame, type State, startState } from "./tokenizer-state.js";

/** A token of a source, without what is between tokens. */
export interface Token {
  readonly from: number;
  readonly to: number;
  readonly text: string;
  /** Its highlighting tags, as {@link readToken} gives them. */
  readonly style: string;
  /** What is open after it. */
  readonly top: Frame | undefined;
}

/** A bracket or a block, from the token that opens it to the one that closes it. */
export interface Span {
  readonly frame: Frame;
  readonly open: number;
  /** Undefined where it is not closed. */
  close: number | undefined;
}

/** The tokens of a source, and what belongs together. */
export interface Scan {
  readonly source: string;
  readonly tokens: readonly Token[];
  readonly spans: readonly Span[];
  /** By their frames. */
  readonly spanOf: ReadonlyMap<Frame, Span>;
  /** The tokens that close something, and what. */
  readonly closedAt: ReadonlyMap<number, Span>;
  /** Where the tokenizer was at the end. */
  readonly end: State;
}

/** More than anyone writes by hand; what needs all of a source does without it then, so that typing stays quick. */
const LONGEST = 250_000;

const NO_GLOBALS: ReadonlySet<string> = new Set();

/** The last ones, the newest first: several ask for the same, and some for what is before the cursor. */
let kept: readonly Scan[] = [];

/** Reads a source; of one that is too long, its begin. */
export function scan(source: string): Scan {
  const text = source.slice(0, LONGEST);
  const known = kept.find((scan) => scan.source === text) ?? read(text);
  kept = [known, ...kept.filter((scan) => scan !== known)].slice(0, 2);
  return known;
}

const ofDocs = new WeakMap<Text, Scan>();

/** Reads what is in an editor. Asked for each of its lines, it makes one text of them only once. */
export function scanOf(doc: Text): Scan {
  const known = ofDocs.get(doc) ?? scan(doc.sliceString(0, LONGEST));
  ofDocs.set(doc, known);
  return known;
}

function read(source: string): Scan {
  const state = startState();
  const tokens: Token[] = [];
  const spanOf = new Map<Frame, Span>();
  const closedAt = new Map<number, Span>();
  let from = 0;
  for (const line of source.split("\n")) {
    const stream = new StringStream(line, 4, 4);
    while (!stream.eol()) {
      stream.start = stream.pos;
      const before = state.top;
      const style = readToken(stream, state, NO_GLOBALS);
      const text = stream.current();
      if (text.trim() === "") {
        continue;
      }
      noteSpans(tokens.length, before, state.top, spanOf, closedAt);
      tokens.push({
        from: from + stream.start,
        to: from + stream.pos,
        text,
        style: style ?? "",
        top: state.top,
      });
    }
    from += line.length + 1;
  }
  return { source, tokens, spans: [...spanOf.values()], spanOf, closedAt, end: state };
}

/** Notes what a token opened and closed, by what was open before it and is open after it. */
function noteSpans(
  index: number,
  before: Frame | undefined,
  after: Frame | undefined,
  spanOf: Map<Frame, Span>,
  closedAt: Map<number, Span>,
): void {
  let [closed, opened] = [before, after];
  // From both to where they meet: all that is further out was open before, and still is.
  while (closed !== opened) {
    const deeper = (opened?.depth ?? 0) - (closed?.depth ?? 0);
    if (deeper >= 0 && opened !== undefined) {
      spanOf.set(opened, { frame: opened, open: index, close: undefined });
      opened = opened.outer;
    }
    if (deeper <= 0 && closed !== undefined) {
      const span = spanOf.get(closed);
      if (span !== undefined) {
        span.close = index;
        // A type ends where something comes that does not belong to it.
        if (closed.kind !== "type") {
          closedAt.set(index, span);
        }
      }
      closed = closed.outer;
    }
  }
}
