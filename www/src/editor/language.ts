import { HighlightStyle } from "@codemirror/language";
import { tags } from "@lezer/highlight";
import { allDefinitions } from "./definitions.js";
import { luau } from "./luau-mode.js";

/** The globals and types that every script can use. */
export const definitions = allDefinitions();

/** The language support. It tells predefined globals apart from the script's own declarations. */
export const luauSupport = luau(new Set(definitions.globals.keys()));

/** Highlighting by the CSS variables of editor.css, where the theme is chosen. */
export const highlighting = HighlightStyle.define([
  {
    tag: [
      tags.keyword,
      tags.modifier,
      tags.controlKeyword,
      tags.definitionKeyword,
      tags.operatorKeyword,
      tags.self,
    ],
    color: "var(--code-keyword)",
  },
  { tag: tags.string, color: "var(--code-string)" },
  { tag: tags.escape, color: "var(--code-escape)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--code-number)" },
  { tag: tags.comment, color: "var(--code-comment)", fontStyle: "italic" },
  { tag: tags.meta, color: "var(--code-meta)" },
  { tag: tags.typeName, color: "var(--code-type)" },
  {
    tag: [tags.function(tags.variableName), tags.function(tags.propertyName)],
    color: "var(--code-function)",
  },
  {
    tag: [tags.standard(tags.variableName), tags.function(tags.standard(tags.variableName))],
    color: "var(--code-library)",
  },
]);
