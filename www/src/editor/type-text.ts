// Types, as Luau writes them: taken apart as far as completion needs it.

/** Splits a list at the commas that are not in brackets. */
export function splitList(list: string): string[] {
  return splitAt(list, /^,/);
}

/** Splits a text where a pattern matches outside of brackets; empty parts are left out. */
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

/** A type without the parentheses around it, and without nil: as it is once that was looked at. */
export function bare(type: string): string {
  const text = type.trim();
  if (text.endsWith("?")) {
    return bare(text.slice(0, -1));
  }
  return text.startsWith("(") && closingAt(text, 0) === text.length - 1 ? bare(text.slice(1, -1)) : text;
}

/** Where the bracket is closed that is at a place. */
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

/** What the type of a function is made of. */
export interface FunctionParts {
  /** Its own types, in angle brackets, or nothing. */
  readonly generics: string;
  readonly parameters: readonly string[];
  /** As it is written. */
  readonly results: string;
}

/** The parts of the type of a function; undefined for other types. */
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

/** The types of what a function returns; nothing for what is not a function. */
export function resultTypes(type: string): readonly string[] {
  const results = functionParts(type)?.results;
  if (results === undefined) {
    return [];
  }
  const isPack = results.startsWith("(") && closingAt(results, 0) === results.length - 1;
  return isPack ? splitList(results.slice(1, -1)) : [results];
}
