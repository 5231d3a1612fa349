// Takes types in Luau syntax apart, as far as completion needs it.

/** Splits a list at the commas outside of brackets. */
export function splitList(list: string): string[] {
  return splitAt(list, /^,/);
}

/** Splits a text where a pattern matches outside of brackets. Drops empty parts. */
export function splitAt(text: string, separator: RegExp): string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text[at] ?? "";
    const isArrow = char === "-" && text[at + 1] === ">";
    const length = depth === 0 ? (separator.exec(text.slice(at, at + 2))?.[0].length ?? 0) : 0;
    if (length > 0) {
      parts.push(text.slice(from, at));
      from = at + length;
      at = from - 1;
    } else if (isArrow) {
      at += 1;
    } else if ("([{<".includes(char)) {
      depth += 1;
    } else if (")]}>".includes(char)) {
      depth -= 1;
    }
  }
  parts.push(text.slice(from));
  return parts.map((part) => part.trim()).filter((part) => part !== "");
}

/** Removes the parentheses around a type and its `?`, as if nil had been ruled out. */
export function bare(type: string): string {
  const text = type.trim();
  if (text.endsWith("?")) {
    return bare(text.slice(0, -1));
  }
  return text.startsWith("(") && closingAt(text, 0) === text.length - 1 ? bare(text.slice(1, -1)) : text;
}

/** Returns the index of the bracket that closes the one at an index. */
function closingAt(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    const char = text[at] ?? "";
    if (char === "-" && text[at + 1] === ">") {
      at += 1;
    } else if ("([{<".includes(char)) {
      depth += 1;
    } else if (")]}>".includes(char)) {
      depth -= 1;
      if (depth === 0) {
        return at;
      }
    }
  }
  return -1;
}

/** The parts of a function type. */
export interface FunctionParts {
  /** The generic types in angle brackets, or an empty string. */
  readonly generics: string;
  readonly parameters: readonly string[];
  /** The results, as written. */
  readonly results: string;
}

/** Returns the parts of a function type; undefined for other types. */
export function functionParts(type: string): FunctionParts | undefined {
  let text = bare(type);
  let generics = "";
  if (text.startsWith("<")) {
    const end = closingAt(text, 0);
    generics = text.slice(0, end + 1);
    text = text.slice(end + 1).trim();
  }
  const end = text.startsWith("(") ? closingAt(text, 0) : -1;
  const rest = end < 0 ? "" : text.slice(end + 1).trim();
  if (!rest.startsWith("->")) {
    return undefined;
  }
  return { generics, parameters: splitList(text.slice(1, end)), results: rest.slice(2).trim() };
}

/** Returns the types of a function's results; an empty list if the type is not a function. */
export function resultTypes(type: string): readonly string[] {
  const results = functionParts(type)?.results;
  if (results === undefined) {
    return [];
  }
  const isPack = results.startsWith("(") && closingAt(results, 0) === results.length - 1;
  return isPack ? splitList(results.slice(1, -1)) : [results];
}
