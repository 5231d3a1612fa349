import { KEYWORDS } from "../names.js";
import { type Definition, type Definitions, membersOf } from "./definitions.js";
import { type Scan, scan, type Token } from "./scan.js";
import { isAccess, Scope } from "./scope.js";

/** A completion proposal. */
export interface Suggestion {
  readonly label: string;
  readonly kind: Definition["kind"] | "keyword" | "module";
  /** The definition of the name, if it is known. */
  readonly definition?: Definition | undefined;
  /** The type of a variable. */
  readonly detail?: string | undefined;
}

/** The proposals at the cursor. They replace the text from `from` on. */
export interface Suggestions {
  readonly from: number;
  readonly options: readonly Suggestion[];
}

/** The context of a file that completion needs. */
export interface Surroundings {
  readonly definitions: Definitions;
  readonly fileName: string;
  readonly fileNames: readonly string[];
}

/** Keywords, and words that are keywords only in some places. */
const WORDS = [...KEYWORDS, "const", "continue", "export", "type", "typeof"];

const TYPES = "any boolean buffer integer never nil number string thread unknown vector typeof".split(" ");

const DIRECTIVES = "--!strict --!nonstrict --!nocheck --!native --!optimize".split(" ");

/**
 * Returns the proposals at an offset.
 *
 * @param isAsked true if the user requested completion, so that proposals appear even where no word was begun
 */
export function suggestionsAt(
  source: string,
  offset: number,
  surroundings: Surroundings,
  isAsked: boolean,
): Suggestions | undefined {
  const before = scan(source.slice(0, offset));
  const { tokens } = before;
  const last = tokens.at(-1);
  const isTouching = last?.to === offset;
  if (last !== undefined && (isTouching || before.end.closer !== undefined)) {
    const text = pathBefore(before);
    if (text !== undefined) {
      const paths = modulePaths(surroundings.fileName, surroundings.fileNames);
      return { from: offset - text.length, options: paths.map((label) => ({ label, kind: "module" })) };
    }
    if (last.text.startsWith("--!")) {
      return { from: last.from, options: DIRECTIVES.map((label) => ({ label, kind: "keyword" })) };
    }
    if (/^(?:comment|string|escape|number|meta)$/.test(last.style)) {
      return undefined;
    }
  }
  const isWord = isTouching && /^[A-Za-z_]/.test(last?.text ?? "");
  const index = isWord ? tokens.length - 1 : tokens.length;
  const from = isWord ? (last?.from ?? offset) : offset;
  const previous = tokens[index - 1];
  const scope = new Scope(before, surroundings.definitions);
  if (isAccess(previous)) {
    return { from, options: members(scope, index - 1, previous?.text === ":", surroundings.definitions) };
  }
  if (!isWord && !isAsked) {
    return undefined;
  }
  const style = isWord ? (last?.style ?? "") : "";
  if (style.includes("definition") && !style.startsWith("propertyName")) {
    // A name that is being declared here.
    return undefined;
  }
  const isInType = isWord ? /^(?:typeName|modifier)/.test(style) : before.end.isTypeOpen;
  if (isInType || before.end.top?.kind.startsWith("type")) {
    return { from, options: typeNames(tokens, index, surroundings.definitions) };
  }
  const keys = /^[{,;]$/.test(previous?.text ?? "") ? scope.optionsAt(index) : undefined;
  const options = keys === undefined || keys.size === 0 ? names(scope, index, surroundings.definitions) : [];
  return { from, options: [...[...(keys?.values() ?? [])].map(suggestionOf), ...options] };
}

/** Returns the paths by which a file can require the others. A file `init` stands for its folder. */
export function modulePaths(fileName: string, fileNames: readonly string[]): string[] {
  const own = pathOf(fileName);
  const folder = own.slice(0, -1);
  const paths = new Set<string>();
  for (const name of fileNames) {
    const path = pathOf(name);
    if (name === fileName) {
      continue;
    }
    if (path[0]?.startsWith("@")) {
      paths.add(path.join("/"));
    } else if (own.length > 0 && path.length > own.length && own.every((part, at) => part === path[at])) {
      paths.add(`@self/${path.slice(own.length).join("/")}`);
    } else {
      let shared = 0;
      while (shared < folder.length && folder[shared] === path[shared] && shared < path.length - 1) {
        shared += 1;
      }
      const up = folder.length - shared;
      paths.add((up === 0 ? "./" : "../".repeat(up)) + path.slice(shared).join("/"));
    }
  }
  return [...paths].sort();
}

function pathOf(name: string): string[] {
  const path = name.split("/");
  return path.length > 1 && path.at(-1) === "init" ? path.slice(0, -1) : path;
}

/** Returns the beginning of the path in the string after `require`; undefined elsewhere. */
function pathBefore({ tokens }: Scan): string | undefined {
  const last = tokens.at(-1);
  const text = last?.style === "string" ? /^["'`]([^"'`]*)$/.exec(last.text)?.[1] : undefined;
  const caller = tokens.at(-2)?.text === "(" ? tokens.at(-3) : tokens.at(-2);
  return caller?.text === "require" ? text : undefined;
}

function members(scope: Scope, dot: number, isMethod: boolean, definitions: Definitions): Suggestion[] {
  const type = scope.receiverType(dot);
  const known = [
    ...(type === undefined ? new Map<string, Definition>() : membersOf(definitions, type)).values(),
  ];
  const fitting = known.filter(
    ({ kind, name }) => !name.startsWith("__") && (!isMethod || kind === "method"),
  );
  if (fitting.length > 0) {
    return fitting.map(suggestionOf);
  }
  return [...scope.ownMembers(dot)]
    .filter(([, isFunction]) => !isMethod || isFunction)
    .map(([label, isFunction]) => ({ label, kind: isFunction ? "function" : "property" }));
}

function typeNames(tokens: readonly Token[], index: number, definitions: Definitions): Suggestion[] {
  const own = tokens.slice(0, index).filter(({ style }) => style === "typeName.definition");
  const named = [...definitions.types.values()].filter(
    ({ name }) => /^\w+$/.test(name) && !name.endsWith("Library"),
  );
  return [...new Set([...own.map(({ text }) => text), ...named.map(({ name }) => name), ...TYPES])].map(
    (label) => ({
      label,
      kind: "type",
      definition: typeDefinition(definitions, label),
    }),
  );
}

/** Returns a type as a definition that the editor can explain. */
export function typeDefinition({ types }: Definitions, name: string): Definition | undefined {
  const type = types.get(name);
  if (type === undefined || type.members.size === 0) {
    return undefined;
  }
  const parameters = type.parameters.length > 0 ? `<${type.parameters.join(", ")}>` : "";
  const { documentation } = type;
  return { name: `type ${name}${parameters}`, kind: "type", owner: undefined, type: "", documentation };
}

function names(scope: Scope, index: number, definitions: Definitions): Suggestion[] {
  const variables = scope.variablesAt(index);
  const own = [...variables.values()].map(
    (variable): Suggestion => ({
      label: variable.name,
      kind: variable.isFunction ? "function" : "variable",
      detail: scope.variableType(variable),
    }),
  );
  const globals = [...definitions.globals.values()].filter(({ name }) => !variables.has(name));
  const keywords = WORDS.filter((word) => !definitions.globals.has(word));
  return [
    ...own,
    ...globals.map(suggestionOf),
    ...keywords.map((label): Suggestion => ({ label, kind: "keyword" })),
  ];
}

function suggestionOf(definition: Definition): Suggestion {
  return { label: definition.name, kind: definition.kind, definition };
}
