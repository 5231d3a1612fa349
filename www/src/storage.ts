// What the browser keeps for the visitor. Where it is not allowed to keep anything, nothing is kept.

const PREFIX = "luau-playground:";

/** What is kept under a name. */
export function kept(name: string): string | undefined {
  try {
    return localStorage.getItem(PREFIX + name) ?? undefined;
  } catch {
    return undefined;
  }
}

/**
 * Keeps a text, or nothing any more.
 *
 * @returns whether that was possible: it is not when storage is full or forbidden
 */
export function keep(name: string, text: string | undefined): boolean {
  try {
    if (text === undefined) {
      localStorage.removeItem(PREFIX + name);
    } else {
      localStorage.setItem(PREFIX + name, text);
    }
    return true;
  } catch {
    return false;
  }
}
