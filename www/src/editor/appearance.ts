import { EditorView } from "@codemirror/view";

const panel = {
  backgroundColor: "var(--raised)",
  color: "var(--text)",
  border: "1px solid var(--border)",
  borderRadius: "var(--radius)",
};

/** How the editor looks, by the variables of the page: so a change of the theme needs nothing done here. */
export const appearance = EditorView.theme({
  "&": { height: "100%", backgroundColor: "var(--surface)", color: "var(--text)", fontSize: "14px" },
  "&.cm-focused": { outline: "2px solid var(--accent)", outlineOffset: "-2px" },
  // Phones zoom into smaller text when it gets the focus.
  "@media (pointer: coarse)": { "&": { fontSize: "16px" } },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.5" },
  ".cm-content": { caretColor: "var(--accent)", padding: "8px 0" },
  ".cm-cursor": { borderLeftColor: "var(--accent)", borderLeftWidth: "2px" },
  ".cm-gutters": {
    backgroundColor: "var(--surface)",
    color: "var(--muted)",
    borderRight: "1px solid var(--border)",
  },
  ".cm-activeLine, .cm-activeLineGutter": {
    backgroundColor: "color-mix(in srgb, var(--accent) 8%, transparent)",
  },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "color-mix(in srgb, var(--accent) 28%, transparent)",
  },
  ".cm-matchingBracket": { outline: "1px solid var(--accent)", backgroundColor: "transparent !important" },
  ".cm-marked": { backgroundColor: "var(--mark)", boxShadow: "inset 3px 0 var(--error)" },
  ".cm-panels": { ...panel, borderRadius: "0" },
  ".cm-panel input, .cm-panel button": { font: "inherit", ...panel },
  ".cm-button": { backgroundImage: "none" },
  ".cm-tooltip": { ...panel, maxWidth: "32rem" },
  ".cm-tooltip .documentation": { padding: "0.4rem 0.6rem" },
  ".cm-tooltip .documentation code": { fontFamily: "var(--mono)", whiteSpace: "pre-wrap" },
  ".cm-tooltip .documentation p": { margin: "0.4rem 0 0" },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": {
    backgroundColor: "var(--accent)",
    color: "var(--on-accent)",
  },
  ".cm-foldPlaceholder": {
    backgroundColor: "var(--raised)",
    color: "var(--muted)",
    border: "1px solid var(--border)",
  },
  ".cm-diagnostic-error": { borderLeftColor: "var(--error)" },
  ".cm-diagnostic-warning": { borderLeftColor: "var(--warning)" },
  ".cm-placeholder": { color: "var(--muted)" },
});
