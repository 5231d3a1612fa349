import type { Diagnostic as Problem } from "@codemirror/lint";
import type { Text } from "@codemirror/state";
import type { Diagnostic, Place } from "../types.js";

/** Returns the offset of a place in a text that may have changed since. */
export function offsetOf(doc: Text, { line, column = 1 }: Place): number {
  const { from, to } = doc.line(Math.min(Math.max(line, 1), doc.lines));
  return Math.min(from + Math.max(column, 1) - 1, to);
}

/** The names of the sources of diagnostics. */
const SOURCES: Readonly<Record<Diagnostic["source"], string>> = { syntax: "compiler", types: "type checker" };

/**
 * Returns the problems to show after one source reported new ones. A syntax error is an error for the type checker as
 * well; it is shown only once.
 */
export function together(
  shown: readonly Problem[],
  source: Diagnostic["source"],
  found: readonly Problem[],
): Problem[] {
  const all = [...shown.filter((problem) => problem.source !== SOURCES[source]), ...found];
  const ofSyntax = all.filter((problem) => problem.source === SOURCES.syntax);
  return ofSyntax.length > 0 ? ofSyntax : all;
}

/** Converts the diagnostics of a file to problems of the editor. */
export function problemsIn(doc: Text, diagnostics: readonly Diagnostic[]): Problem[] {
  return diagnostics.map(({ start, end, severity, source, message }) => {
    const line = doc.lineAt(offsetOf(doc, start));
    const indent = line.text.length - line.text.trimStart().length;
    const from = start.column === undefined ? line.from + indent : offsetOf(doc, start);
    const to = end === undefined ? line.to : offsetOf(doc, end);
    return {
      from,
      // An empty range could not be underlined.
      to: Math.max(to, Math.min(from + 1, line.to)),
      severity,
      source: SOURCES[source],
      message,
    };
  });
}
