import { EditorView } from "@codemirror/view";

const raised = {
  backgroundColor: "var(--raised)",
  color: "var(--text)",
  border: "1px solid var(--border)",
  borderRadius: "var(--radius)",
};

const tint = (percent: number) => `color-mix(in srgb, var(--accent) ${percent}%, transparent)`;

/** The editor's theme. It uses the CSS variables of the page, so a change of theme needs no code here. */
export const appearance = EditorView.theme({
  "&": {
    height: "100%",
    backgroundColor: "var(--surface)",
    color: "var(--text)",
    fontSize: "var(--code-size)",
  },
  "&.cm-focused": { outline: "none" },
  // Drawn on top: an outline would be hidden below the gutter.
  "&.cm-focused::after": {
    content: '""',
    position: "absolute",
    inset: "0",
    border: "2px solid var(--accent)",
    pointerEvents: "none",
    zIndex: "250",
  },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.5" },
  ".cm-content": { caretColor: "var(--accent)", padding: "8px 0" },
  ".cm-cursor, .cm-dropCursor": { borderLeftColor: "var(--accent)", borderLeftWidth: "2px" },
  ".cm-gutters": {
    backgroundColor: "var(--surface)",
    color: "var(--muted)",
    borderRight: "1px solid var(--border)",
  },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: tint(8) },
  // The selection is drawn behind the lines, so an opaque line background would hide it.
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: tint(28),
  },
  ".cm-selectionMatch": { backgroundColor: tint(16) },
  ".cm-searchMatch": { backgroundColor: "var(--mark)", outline: "1px solid var(--warning)" },
  ".cm-searchMatch-selected": { outline: "2px solid var(--accent)" },
  "&.cm-focused .cm-matchingBracket": { outline: "1px solid var(--accent)", backgroundColor: "transparent" },
  "&.cm-focused .cm-nonmatchingBracket": {
    outline: "1px solid var(--error)",
    backgroundColor: "transparent",
  },
  ".cm-snippetField": { backgroundColor: tint(16) },
  ".cm-specialChar": { color: "var(--error)" },
  ".cm-line.cm-marked": { backgroundColor: "var(--mark)", boxShadow: "inset 3px 0 var(--error)" },
  ".cm-foldPlaceholder": { ...raised, color: "var(--muted)", padding: "0 4px" },
  ".cm-foldGutter .cm-gutterElement": { cursor: "pointer" },

  ".cm-panels": { ...raised, borderRadius: "0", borderWidth: "1px 0 0" },
  ".cm-panel.cm-search": { fontFamily: "var(--font)", padding: "6px 28px 6px 8px" },
  ".cm-panel.cm-search label": {
    fontSize: "13px",
    display: "inline-flex",
    alignItems: "center",
    gap: "4px",
    verticalAlign: "middle",
  },
  ".cm-panel.cm-search input[type=checkbox]": { margin: "0", minHeight: "0", accentColor: "var(--accent)" },
  ".cm-textfield": {
    ...raised,
    backgroundColor: "var(--surface)",
    fontSize: "var(--field-small)",
    padding: "4px 6px",
  },
  ".cm-button": { ...raised, backgroundImage: "none", fontSize: "13px", padding: "4px 8px" },
  ".cm-button:active": { backgroundImage: "none", backgroundColor: "var(--surface)" },
  ".cm-textfield:focus-visible, .cm-button:focus-visible, .cm-panel [name=close]:focus-visible": {
    outline: "2px solid var(--accent)",
  },
  ".cm-panel.cm-search [name=close], .cm-panel.cm-panel-lint [name=close]": {
    color: "var(--text)",
    fontSize: "18px",
    minWidth: "24px",
    minHeight: "24px",
  },
  ".cm-panel.cm-panel-lint ul [aria-selected], .cm-panel.cm-panel-lint ul:focus [aria-selected]": {
    backgroundColor: tint(20),
    color: "var(--text)",
  },

  ".cm-tooltip": { ...raised, maxWidth: "min(34rem, 94vw)", boxShadow: "var(--shadow)" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", maxWidth: "min(30rem, 90vw)" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "2px 6px" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": {
    backgroundColor: "var(--accent)",
    color: "var(--on-accent)",
  },
  ".cm-completionIcon": { opacity: "1", color: "var(--muted)" },
  ".cm-completionDetail": { color: "var(--muted)", fontStyle: "normal" },
  "li[aria-selected] .cm-completionIcon, li[aria-selected] .cm-completionDetail": {
    color: "var(--on-accent)",
  },
  ".cm-tooltip.cm-completionInfo": { maxWidth: "min(26rem, 90vw)", padding: "0" },
  ".cm-description": { padding: "6px 10px", fontFamily: "var(--font)", fontSize: "13px", lineHeight: "1.45" },
  ".cm-description > code": { display: "block", whiteSpace: "pre-wrap", overflowWrap: "anywhere" },
  ".cm-description code": { fontFamily: "var(--mono)" },
  ".cm-description p": { margin: "6px 0 0" },
  ".cm-description a": { color: "var(--accent)", overflowWrap: "anywhere" },

  ".cm-tooltip-lint": { margin: "0", padding: "0", listStyle: "none" },
  ".cm-diagnostic": { fontFamily: "var(--font)", fontSize: "13px", padding: "4px 10px" },
  ".cm-lint-marker": { content: "normal", width: "0.6em", height: "0.6em", margin: "0.25em auto 0" },
  ".cm-lint-marker-error": { backgroundColor: "var(--error)", borderRadius: "50%" },
  // Differs in shape as well, for people who cannot tell the colors apart.
  ".cm-lint-marker-warning": {
    backgroundColor: "var(--warning)",
    clipPath: "polygon(50% 0, 100% 100%, 0 100%)",
  },
  ".cm-lintRange": { textDecorationSkipInk: "none", textUnderlineOffset: "0.2em" },
  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy 1px var(--error)" },
  ".cm-lintRange-warning": { backgroundImage: "none", textDecoration: "underline wavy 1px var(--warning)" },
  ".cm-diagnostic-error": { borderLeftColor: "var(--error)" },
  ".cm-diagnostic-warning": { borderLeftColor: "var(--warning)" },
  ".cm-diagnosticSource": { opacity: "1", color: "var(--muted)" },
});
