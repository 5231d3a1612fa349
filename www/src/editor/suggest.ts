import {
  type Completion,
  type CompletionContext,
  type CompletionResult,
  snippetCompletion,
} from "@codemirror/autocomplete";
import { type Suggestion, type Surroundings, suggestionsAt } from "./completion.js";
import { signature } from "./definitions.js";
import { description } from "./description.js";

/** Whole statements, for people who type on a phone. */
const SNIPPETS: readonly Completion[] = [
  snippetCompletion("function #{name}(#{})\n\t#{}\nend", { label: "function … end", type: "keyword" }),
  snippetCompletion("if #{condition} then\n\t#{}\nend", { label: "if … then … end", type: "keyword" }),
  snippetCompletion("for #{index} = #{1}, #{10} do\n\t#{}\nend", {
    label: "for … do … end",
    type: "keyword",
  }),
  snippetCompletion("for #{key}, #{value} in #{map} do\n\t#{}\nend", {
    label: "for … in … do … end",
    type: "keyword",
  }),
  snippetCompletion("while #{condition} do\n\t#{}\nend", { label: "while … do … end", type: "keyword" }),
];

/** Returns the completions at the cursor. */
export function suggest(context: CompletionContext, surroundings: Surroundings): CompletionResult | null {
  const found = suggestionsAt(context.state.doc.toString(), context.pos, surroundings, context.explicit);
  if (found === undefined || found.options.length === 0) {
    return null;
  }
  const { from, options } = found;
  const isStatement = options.some(({ label }) => label === "while");
  return {
    from,
    options: [...options.map(completionOf), ...(isStatement ? SNIPPETS : [])],
    validFor: options[0]?.kind === "module" ? /^[\w./@-]*$/ : /^\w*$/,
  };
}

function completionOf({ label, kind, definition, detail }: Suggestion): Completion {
  return {
    label,
    type: kind === "library" ? "namespace" : kind === "module" ? "text" : kind,
    // The script's own variables are what people mean most often.
    boost: kind === "keyword" ? -1 : kind === "variable" && definition === undefined ? 1 : 0,
    ...(detail === undefined || detail.length > 40 ? {} : { detail }),
    ...(definition === undefined
      ? {}
      : { info: () => description(signature(definition), definition.documentation) }),
  };
}
