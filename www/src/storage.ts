// Stores data in the browser. Without access to storage, these functions do nothing.

const PREFIX = "luau-playground:";

/** Returns a stored text. */
export function loadItem(name: string): string | undefined {
  try {
    return localStorage.getItem(PREFIX + name) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Returns the names of all stored texts that begin with `start`. */
export function itemNames(start: string): string[] {
  try {
    return Object.keys(localStorage)
      .filter((name) => name.startsWith(PREFIX + start))
      .map((name) => name.slice(PREFIX.length));
  } catch {
    return [];
  }
}

/**
 * Stores a text, or deletes it if it is undefined.
 *
 * @returns false if storage is full or forbidden
 */
export function saveItem(name: string, text: string | undefined): boolean {
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

/** Data for this browser tab only. It survives a reload. */
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
      // The tab then opens the most recent script, whichever tab changed it.
    }
  },
};
