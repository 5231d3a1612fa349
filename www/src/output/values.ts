// Formats printed values for display. The package has converted tables to arrays, plain objects or maps.

import { dumpLine, hexText } from "../hex.js";
import { isName } from "../names.js";
import { missingIn } from "../worker/excerpt.js";

/** A part of a value: a table entry, or a row of a buffer. */
export interface Part {
  /** The key as in a Luau table constructor; undefined if the value is displayed without one. */
  readonly key: string | undefined;
  readonly value: unknown;
}

/** The parts of a value. */
export interface Parts {
  readonly count: number;
  /** The number of further parts that the page did not receive. */
  readonly missing: number;
  /** Returns the parts from one index up to another. */
  slice(start: number, end: number): readonly Part[];
  /** Returns the label of a range of parts. */
  range(start: number, end: number): string;
}

/** The number of bytes in a displayed row of a buffer: as many as fit beside the editor. */
const ROW_BYTES = 8;
/** The number of a buffer's bytes in its preview. */
const PREVIEW_BYTES = 16;
/** The approximate length of a preview, in characters. */
const PREVIEW_LENGTH = 72;
/** The most characters of a string that are shown: within a table's preview, and on its own. */
const MAX_NESTED_TEXT_LENGTH = 32;
const MAX_TEXT_LENGTH = 10_000;
/** The number of bytes of a buffer, or characters of a string, that count as one part. */
const BYTES_PER_PART = 16;
/** The number of parts that are visited to estimate the total. */
const MAX_VISITS = 1_000;

const ESCAPES: Readonly<Record<string, string>> = {
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  '"': '\\"',
  "\\": "\\\\",
};

type Table = readonly unknown[] | ReadonlyMap<unknown, unknown> | Readonly<Record<string, unknown>>;

function isTable(value: unknown): value is Table {
  if (typeof value !== "object" || value === null) {
    return false;
  }
  if (Array.isArray(value) || value instanceof Map) {
    return true;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Returns true if a value can be expanded to show its parts. */
export function hasParts(value: unknown): boolean {
  return isTable(value) || value instanceof Uint8Array;
}

/** Returns the parts of a value; undefined if it cannot have any. */
export function partsOf(value: unknown): Parts | undefined {
  if (value instanceof Uint8Array) {
    return {
      count: Math.ceil(value.length / ROW_BYTES),
      missing: 0,
      slice: (start, end) =>
        Array.from({ length: end - start }, (_, row) => ({
          key: undefined,
          value: new Verbatim(dumpLine(value, (start + row) * ROW_BYTES, ROW_BYTES)),
        })),
      range: (start, end) => `bytes ${start * ROW_BYTES} … ${Math.min(end * ROW_BYTES, value.length) - 1}`,
    };
  }
  if (!isTable(value)) {
    return undefined;
  }
  const range = (start: number, end: number) => `[${start + 1} … ${end}]`;
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    return {
      count: items.length,
      missing: missingIn(value),
      slice: (start, end) =>
        items.slice(start, end).map((item, index) => ({ key: `[${start + index + 1}]`, value: item })),
      range,
    };
  }
  const entries: readonly (readonly [unknown, unknown])[] =
    value instanceof Map ? [...value] : Object.entries(value);
  return {
    count: entries.length,
    missing: missingIn(value),
    slice: (start, end) =>
      entries.slice(start, end).map(([key, item]) => ({ key: keyText(key), value: item })),
    range: (start, end) => `entries ${start + 1} … ${end}`,
  };
}

/** Text that is displayed without quotes. */
class Verbatim {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Formats a key as in a table constructor. */
function keyText(key: unknown): string {
  return typeof key === "string" && isName(key) ? key : `[${brief(key)}]`;
}

/** Formats a value on one line in Luau syntax, shortened if it is large. */
export function preview(value: unknown): string {
  if (value instanceof Uint8Array) {
    const start = hexText(value.subarray(0, PREVIEW_BYTES));
    const size = `buffer of ${value.length.toLocaleString("en")} ${value.length === 1 ? "byte" : "bytes"}`;
    return start === "" ? size : `${size}: ${start}${value.length > PREVIEW_BYTES ? " …" : ""}`;
  }
  if (!isTable(value)) {
    return scalarText(value, MAX_TEXT_LENGTH);
  }
  const items: string[] = [];
  let length = 0;
  const count = sizeOf(value) + missingIn(value);
  for (const [key, item] of itemsOf(value)) {
    if (length > PREVIEW_LENGTH) {
      items.push(`… ${(count - items.length).toLocaleString("en")} more`);
      return `{${items.join(", ")}}`;
    }
    const text = key === undefined ? brief(item) : `${keyText(key)} = ${brief(item)}`;
    items.push(text);
    length += text.length + 2;
  }
  if (count > items.length) {
    items.push(`… ${(count - items.length).toLocaleString("en")} more`);
  }
  return `{${items.join(", ")}}`;
}

/** Formats a value in a few characters. */
function brief(value: unknown): string {
  if (isTable(value)) {
    return sizeOf(value) + missingIn(value) === 0 ? "{}" : "{…}";
  }
  return value instanceof Uint8Array ? `buffer(${value.length})` : scalarText(value, MAX_NESTED_TEXT_LENGTH);
}

function scalarText(value: unknown, maxLength: number): string {
  switch (typeof value) {
    case "undefined":
      return "nil";
    case "string": {
      const cut = value.length > maxLength ? `${value.slice(0, maxLength)}…` : value;
      return `"${cut.replaceAll(/["\\\n\r\t]/g, (char) => ESCAPES[char] ?? char)}"`;
    }
    case "number":
      if (Number.isNaN(value)) {
        return "nan";
      }
      if (!Number.isFinite(value)) {
        return value < 0 ? "-inf" : "inf";
      }
      return Object.is(value, -0) ? "-0" : String(value);
    case "object":
      if (value instanceof Verbatim) {
        return value.text;
      }
      return value === null ? "nil" : (value.constructor?.name ?? "userdata");
    case "function":
      return "function";
    default:
      return String(value);
  }
}

function sizeOf(table: Table): number {
  if (Array.isArray(table)) {
    return table.length;
  }
  return table instanceof Map ? table.size : Object.keys(table).length;
}

/** Yields the keys and values of a table; arrays yield undefined keys. */
function* itemsOf(table: Table): Generator<readonly [unknown, unknown]> {
  if (Array.isArray(table)) {
    for (const item of table) {
      yield [undefined, item];
    }
  } else if (table instanceof Map) {
    yield* table;
  } else {
    for (const key of Object.keys(table)) {
      yield [key, (table as Readonly<Record<string, unknown>>)[key]];
    }
  }
}

/** Estimates the total number of parts in values, as a measure of their memory use. */
export function weightOf(values: readonly unknown[]): number {
  const seen = new Set<unknown>();
  const stack: unknown[] = [...values];
  let weight = values.length;
  for (let visits = 0; visits < MAX_VISITS && stack.length > 0; visits += 1) {
    const value = stack.pop();
    if (value instanceof Uint8Array || typeof value === "string") {
      weight += value.length / BYTES_PER_PART;
    } else if (isTable(value) && !seen.has(value)) {
      seen.add(value);
      weight += sizeOf(value);
      for (const [, item] of itemsOf(value)) {
        stack.push(item);
        if (stack.length > MAX_VISITS) {
          break;
        }
      }
    }
  }
  return weight;
}
