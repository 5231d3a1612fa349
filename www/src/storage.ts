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

/** The names, of those that begin with `start`, under which something is kept. */
export function keptNames(start: string): string[] {
  try {
    return Object.keys(localStorage)
      .filter((name) => name.startsWith(PREFIX + start))
      .map((name) => name.slice(PREFIX.length));
  } catch {
    return [];
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

/** What is kept for this tab of the browser alone, also over a reload. */
export const ofTab = {
  get(name: string): string | undefined {
    try {
      return sessionStorage.getItem(PREFIX + name) ?? undefined;
    } catch {
      return undefined;
    }
  },
  set(name: string, text: string): void {
    try {
      sessionStorage.setItem(PREFIX + name, text);
    } catch {
      // The tab then opens what was changed last, in whichever tab.
    }
  },
};
