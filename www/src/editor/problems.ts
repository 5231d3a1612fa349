import type { Diagnostic as Problem } from "@codemirror/lint";
import type { Text } from "@codemirror/state";
import type { Diagnostic, Place } from "../types.js";

/** Where a place is in a text that may have changed meanwhile. */
export function offsetOf(doc: Text, { line, column = 1 }: Place): number {
  const { from, to } = doc.line(Math.min(Math.max(line, 1), doc.lines));
  return Math.min(from + Math.max(column, 1) - 1, to);
}

/** How those are called who say what is wrong. */
const SOURCES: Readonly<Record<Diagnostic["source"], string>> = { syntax: "compiler", types: "type checker" };

/**
 * What is to be shown, now that one of them has something else to say than before. A source that does not compile is an error of
 * types as well: it is told once.
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

/** What is wrong with a file, as the editor shows it. */
export function problemsIn(doc: Text, diagnostics: readonly Diagnostic[]): Problem[] {
  return diagnostics.map(({ start, end, severity, source, message }) => {
    const line = doc.lineAt(offsetOf(doc, start));
    const indent = line.text.length - line.text.trimStart().length;
    const from = start.column === undefined ? line.from + indent : offsetOf(doc, start);
    const to = end === undefined ? line.to : offsetOf(doc, end);
    return {
      from,
      // Something has to be there to be underlined.
      to: Math.max(to, Math.min(from + 1, line.to)),
      severity,
      source: SOURCES[source],
      message,
    };
  });
}
