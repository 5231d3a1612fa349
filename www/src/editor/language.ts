import { HighlightStyle, indentUnit, LanguageSupport } from "@codemirror/language";
import { tags } from "@lezer/highlight";
import { GLOBAL_NAMES } from "./api.js";
import { luau } from "./luau-mode.js";

const { language, support } = luau(GLOBAL_NAMES);

/** The language, with tabs of four columns, as Luau's own examples have them. */
export const luauLanguage = new LanguageSupport(language, [support, indentUnit.of("\t")]);

/** Colours by the variables of editor.css, since a theme is chosen there. */
export const highlighting = HighlightStyle.define([
  {
    tag: [tags.keyword, tags.controlKeyword, tags.definitionKeyword, tags.operatorKeyword],
    color: "var(--code-keyword)",
  },
  { tag: [tags.string], color: "var(--code-string)" },
  { tag: [tags.escape], color: "var(--code-escape)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--code-number)" },
  { tag: [tags.comment], color: "var(--code-comment)", fontStyle: "italic" },
  { tag: [tags.meta], color: "var(--code-meta)" },
  { tag: [tags.typeName, tags.definition(tags.typeName)], color: "var(--code-type)" },
  {
    tag: [tags.standard(tags.variableName), tags.self, tags.special(tags.variableName)],
    color: "var(--code-library)",
  },
  {
    tag: [
      tags.function(tags.variableName),
      tags.function(tags.propertyName),
      tags.definition(tags.function(tags.variableName)),
      tags.definition(tags.function(tags.propertyName)),
      tags.function(tags.standard(tags.variableName)),
    ],
    color: "var(--code-function)",
  },
]);
