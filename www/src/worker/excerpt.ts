/** How many elements of tables cross to the page for one line, at most: to take more would hold it up. */
const MOST_AT_ONCE = 5_000;
/** How many in a second, where lines come without a rest in which more can gather. */
const MOST_PER_SECOND = 1_000;

/** How many elements are missing in the tables of which not all has crossed. */
export type Missing = ReadonlyMap<object, number>;

/** Less room than that is kept together, for a table of which more can be seen. */
const LEAST = 500;

let left = MOST_AT_ONCE;
let filledAt = performance.now();

/**
 * Values as they cross: copies that are small enough for the page, of large tables the begin, and at the end what is missing. Nothing
 * where there were too many, of which the page then shows the text alone.
 */
export function excerptOf(values: readonly unknown[]): unknown[] {
  if (!values.some((value) => typeof value === "object" && value !== null)) {
    return [...values];
  }
  const copying = new Copying(Math.min(MOST_AT_ONCE, Math.floor(room())));
  const copies = values.map((value) => copying.copy(value));
  copying.fill();
  left -= copying.count;
  return left < 1 ? [] : [...copies, copying.missing];
}

/** How many elements may cross now. */
function room(): number {
  const now = performance.now();
  left = Math.min(MOST_AT_ONCE, left + ((now - filledAt) / 1_000) * MOST_PER_SECOND);
  filledAt = now;
  return left;
}

/** Whether there is no room for more than the text of a line: then values need not be made at all. */
export function isFull(): boolean {
  return room() < LEAST;
}

/** The values of an excerpt, with what is missing noted by the tables. */
export function valuesOf(excerpt: readonly unknown[]): readonly unknown[] {
  const missing = excerpt.at(-1);
  if (!(missing instanceof Map)) {
    // A line that was too long for the package to let its values cross.
    return excerpt;
  }
  for (const [table, count] of missing as Missing) {
    counts.set(table, count);
  }
  return excerpt.slice(0, -1);
}

const counts = new WeakMap<object, number>();

/** How many elements of a table are not here. */
export function missingIn(table: object): number {
  return counts.get(table) ?? 0;
}

/** Copies tables, those that are further out first, until there are too many elements. */
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
        : isPlain(value)
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
    // It grows meanwhile.
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
        // Assigned, `__proto__` would be no property.
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

function isPlain(value: object): boolean {
  return Object.getPrototypeOf(value) === Object.prototype;
}
