import type { OutputKind } from "luau-websocket/serve";

/** The most table elements that a line may send to the page at once. More would block it. */
const MAX_ELEMENTS_AT_ONCE = 5_000;
/** The most elements per second while lines keep arriving. */
const MAX_ELEMENTS_PER_SECOND = 1_000;

/** Copies of values, and the numbers of elements that their tables lack. */
interface Excerpt {
  readonly values: readonly unknown[];
  readonly missing: ReadonlyMap<object, number>;
}

/** The smallest allowance worth using. Below it, elements are saved up for a table that can show more. */
const MIN_ELEMENTS = 500;

let left = MAX_ELEMENTS_AT_ONCE;
let filledAt = performance.now();

/**
 * Returns an excerpt of the values that a script prints, returns or throws, so that their size never blocks the page. Returns an empty array
 * for printed values if the allowance is used up; the page then shows only the text, and they are not even converted.
 */
export function transformOutput(values: () => readonly unknown[], kind: OutputKind): unknown[] {
  if ((kind === "print" || kind === "warn") && room() < MIN_ELEMENTS) {
    return [];
  }
  const most = Math.floor(room());
  const copying = new Copying(most);
  const copies = values().map((value) => copying.copy(value));
  copying.fill();
  left -= copying.count;
  return [{ values: copies, missing: copying.missing } satisfies Excerpt];
}

/** Returns the number of elements that may be sent now. */
function room(): number {
  const now = performance.now();
  left = Math.min(MAX_ELEMENTS_AT_ONCE, left + ((now - filledAt) / 1_000) * MAX_ELEMENTS_PER_SECOND);
  filledAt = now;
  return left;
}

/** Returns the values of an excerpt and records what its tables lack. */
export function valuesOf(excerpt: unknown): readonly unknown[] {
  if (typeof excerpt !== "object" || excerpt === null) {
    return [];
  }
  const { values, missing } = excerpt as Excerpt;
  for (const [table, count] of missing) {
    counts.set(table, count);
  }
  return values;
}

const counts = new WeakMap<object, number>();

/** Returns the number of elements missing from a table. */
export function missingIn(table: object): number {
  return counts.get(table) ?? 0;
}

/** Copies tables, outer ones first, up to a number of elements. */
class Copying {
  readonly missing = new Map<object, number>();
  count = 0;
  readonly #most: number;
  readonly #copies = new Map<object, object>();
  readonly #unfilled: [origin: object, copy: object][] = [];

  constructor(most: number) {
    this.#most = most;
  }

  copy(value: unknown): unknown {
    if (typeof value !== "object" || value === null) {
      return value;
    }
    const known = this.#copies.get(value);
    if (known !== undefined) {
      return known;
    }
    const copy = Array.isArray(value)
      ? []
      : value instanceof Map
        ? new Map()
        : Object.getPrototypeOf(value) === Object.prototype
          ? {}
          : undefined;
    if (copy === undefined) {
      return value;
    }
    this.#copies.set(value, copy);
    this.#unfilled.push([value, copy]);
    return copy;
  }

  fill(): void {
    // The list grows during the loop.
    for (const [origin, copy] of this.#unfilled) {
      const room = this.#most - this.count;
      const size = sizeOf(origin);
      this.count += Math.min(size, room);
      this.#put(origin, copy, room);
      if (size > room) {
        this.missing.set(copy, size - room);
      }
    }
  }

  #put(origin: object, copy: object, most: number): void {
    if (Array.isArray(origin)) {
      for (const item of origin.slice(0, most)) {
        (copy as unknown[]).push(this.copy(item));
      }
    } else if (origin instanceof Map) {
      for (const [key, item] of firstOf(origin, most)) {
        (copy as Map<unknown, unknown>).set(this.copy(key), this.copy(item));
      }
    } else {
      for (const key of Object.keys(origin).slice(0, most)) {
        const value = this.copy((origin as Record<string, unknown>)[key]);
        // Assigning to `__proto__` would set the prototype instead of a property.
        Object.defineProperty(copy, key, { value, writable: true, enumerable: true, configurable: true });
      }
    }
  }
}

function sizeOf(table: object): number {
  if (Array.isArray(table)) {
    return table.length;
  }
  return table instanceof Map ? table.size : Object.keys(table).length;
}

function* firstOf<T>(items: Iterable<T>, most: number): Generator<T> {
  let count = 0;
  for (const item of items) {
    if (count++ >= most) {
      return;
    }
    yield item;
  }
}
