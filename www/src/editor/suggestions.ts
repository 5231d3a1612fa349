import type { Completion, CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import { snippetCompletion } from "@codemirror/autocomplete";
import { API, type Item } from "./api.js";

const KEYWORDS =
  "and break continue do else elseif end export false for function if in local nil not or repeat return then true type until while".split(
    " ",
  );

const SNIPPETS: readonly Completion[] = [
  snippetCompletion("function #{name}(#{})\n\t#{}\nend", { label: "function … end", type: "keyword" }),
  snippetCompletion("if #{condition} then\n\t#{}\nend", { label: "if … then … end", type: "keyword" }),
  snippetCompletion("for #{index} = #{1}, #{10} do\n\t#{}\nend", {
    label: "for … do … end",
    type: "keyword",
  }),
  snippetCompletion("for #{key}, #{value} in #{map} do\n\t#{}\nend", {
    label: "for … in … end",
    type: "keyword",
  }),
  snippetCompletion("while #{condition} do\n\t#{}\nend", { label: "while … do … end", type: "keyword" }),
];

/** What makes a variable one of a type that has members. */
const MAKERS: readonly (readonly [RegExp, string])[] = [
  [/\b(?:websocket|WebSocket)\.connect\s*\(/, "WebSocketConnection"],
  [/:(?:Connect|Once)\s*\(/, "Connection"],
];

/**
 * The members of what stands before a dot or a colon; undefined where that is not known.
 *
 * @param path the names, as in `connection.OnMessage`
 * @param source the whole script, in which the first name may be declared
 */
export function membersOf(path: readonly string[], source: string): ReadonlyMap<string, Item> | undefined {
  const [first, ...others] = path;
  if (first === undefined) {
    return undefined;
  }
  let type = API.globals.get(first)?.type ?? typeOf(first, source);
  for (const name of others) {
    type = type === undefined ? undefined : API.types.get(type)?.get(name)?.type;
  }
  return type === undefined ? undefined : API.types.get(type);
}

/** The type of a variable that the script declares, as far as its declaration tells at a glance. */
function typeOf(name: string, source: string): string | undefined {
  const declared = new RegExp(`\\b${name}\\s*(?::\\s*(\\w+))?\\s*(?:,[^=\\n]*)?=\\s*([^\\n]*)`).exec(source);
  const annotated = new RegExp(`\\b${name}\\s*:\\s*(\\w+)`).exec(source)?.[1];
  if (annotated !== undefined && API.types.has(annotated)) {
    return annotated;
  }
  return MAKERS.find(([maker]) => maker.test(declared?.[2] ?? ""))?.[1];
}

/** The names before a dot or a colon that ends a text. */
export function pathBefore(text: string): { names: readonly string[]; separator: string } | undefined {
  const match = /((?:[A-Za-z_]\w*\s*\.\s*)*[A-Za-z_]\w*)\s*([.:])\s*\w*$/.exec(text);
  return match === null
    ? undefined
    : { names: (match[1] ?? "").split(/\s*\.\s*/), separator: match[2] ?? "." };
}

/** Completes the names of libraries and of their members, of the script's own variables, keywords and modules. */
export function suggest(
  context: CompletionContext,
  fileNames: () => readonly string[],
): CompletionResult | null {
  const line = context.state.doc.lineAt(context.pos);
  const before = line.text.slice(0, context.pos - line.from);
  const module = /\brequire\s*\(?\s*["']([^"']*)$/.exec(before);
  if (module !== null) {
    const options = fileNames().map((name) => ({ label: `./${name}`, type: "text" }));
    return { from: context.pos - (module[1]?.length ?? 0), options, validFor: /^[\w./@-]*$/ };
  }
  const word = context.matchBefore(/\w*$/);
  const from = word?.from ?? context.pos;
  const source = context.state.doc.toString();
  const path = pathBefore(before);
  if (path !== undefined) {
    const members = membersOf(path.names, source);
    const isMethod = path.separator === ":";
    const options = [...(members?.values() ?? [])]
      .filter(({ kind }) => !isMethod || kind === "method")
      .map(completionOf);
    return options.length === 0 ? null : { from, options, validFor: /^\w*$/ };
  }
  if ((from === context.pos && !context.explicit) || /^\d/.test(word?.text ?? "")) {
    return null;
  }
  const known = new Set([...KEYWORDS, ...API.globals.keys()]);
  const own = new Set(source.match(/[A-Za-z_]\w+/g));
  own.delete(word?.text ?? "");
  const options = [
    ...[...own].filter((name) => !known.has(name)).map((label) => ({ label, type: "variable" })),
    ...[...API.globals.values()].map(completionOf),
    ...KEYWORDS.map((label) => ({ label, type: "keyword" })),
    ...SNIPPETS,
  ];
  return { from, options, validFor: /^\w*$/ };
}

function completionOf({ name, kind, signature, documentation }: Item): Completion {
  return {
    label: name,
    type: kind === "library" ? "namespace" : kind,
    info: () => describe(signature, documentation),
  };
}

/** A signature with what is said of it. */
export function describe(signature: string, documentation: string): HTMLElement {
  const element = document.createElement("div");
  element.className = "documentation";
  const code = document.createElement("code");
  code.textContent = signature;
  element.append(code);
  for (const paragraph of documentation.split(/\n\s*\n/).filter((text) => text !== "")) {
    const text = document.createElement("p");
    text.textContent = paragraph.replaceAll("\n", " ");
    element.append(text);
  }
  return element;
}
