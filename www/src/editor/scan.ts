import { StringStream } from "@codemirror/language";
import type { Text } from "@codemirror/state";
import { readToken } from "./tokenizer.js";
import { type Frame, type State, startState } from "./tokenizer-state.js";

/** A token of a source, not including whitespace. */
export interface Token {
  readonly from: number;
  readonly to: number;
  readonly text: string;
  /** Its highlighting tags, as {@link readToken} gives them. */
  readonly style: string;
  /** The innermost frame that is open after it. */
  readonly top: Frame | undefined;
}

/** A bracket or a block, from the token that opens it to the one that closes it. */
export interface Span {
  readonly frame: Frame;
  readonly open: number;
  /** Undefined if nothing closes it. */
  close: number | undefined;
}

/** The tokens of a source, and its matching openers and closers. */
export interface Scan {
  readonly source: string;
  readonly tokens: readonly Token[];
  readonly spans: readonly Span[];
  /** The spans by their frames. */
  readonly spanOf: ReadonlyMap<Frame, Span>;
  /** The spans by the tokens that close them. */
  readonly closedAt: ReadonlyMap<number, Span>;
  /** The state of the tokenizer at the end. */
  readonly end: State;
}

/** The most code units that are scanned, more than anyone writes by hand. The rest is left out so that typing stays fast. */
const MAX_SCANNED = 250_000;

const NO_GLOBALS: ReadonlySet<string> = new Set();

/** The latest scans, newest first. Several callers ask for the same text, and some for the text before the cursor. */
let kept: readonly Scan[] = [];

/** Scans a source, or the beginning of one that is too long. */
export function scan(source: string): Scan {
  const text = source.slice(0, MAX_SCANNED);
  const known = kept.find((scan) => scan.source === text) ?? read(text);
  kept = [known, ...kept.filter((scan) => scan !== known)].slice(0, 2);
  return known;
}

const ofDocs = new WeakMap<Text, Scan>();

/** Scans a document. It is called for each line, but joins the lines of a document only once. */
export function scanOf(doc: Text): Scan {
  const known = ofDocs.get(doc) ?? scan(doc.sliceString(0, MAX_SCANNED));
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

/** Records the spans that a token opened and closed, by comparing the open frames before and after it. */
function noteSpans(
  index: number,
  before: Frame | undefined,
  after: Frame | undefined,
  spanOf: Map<Frame, Span>,
  closedAt: Map<number, Span>,
): void {
  let [closed, opened] = [before, after];
  // Walks outwards from both until they meet. Frames beyond that were open before and still are.
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
        // A type ends before the first token that does not belong to it, so no token closes it.
        if (closed.kind !== "type") {
          closedAt.set(index, span);
        }
      }
      closed = closed.outer;
    }
  }
}
