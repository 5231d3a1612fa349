// The names and keywords of Luau.

/** Words that are keywords everywhere. */
export const KEYWORDS: ReadonlySet<string> = new Set(
  (
    "and break do else elseif end false for function if in local nil not or repeat return then true until " +
    "while"
  ).split(" "),
);

/** A name or a keyword at the start of a text. */
export const WORD = /^[A-Za-z_]\w*/;

/** Returns true if a text can be written as a name. */
export function isName(text: string): boolean {
  return WORD.exec(text)?.[0] === text && !KEYWORDS.has(text);
}
