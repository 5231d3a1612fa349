// What there is to know of the values that scripts print, as the package gives them: tables are arrays, plain objects or maps.

import { missingIn } from "../worker/excerpt.js";

/** Something inside of a value. */
export interface Part {
  /** As it is written in a table constructor of Luau; undefined where its place says all. */
  readonly key: string | undefined;
  readonly value: unknown;
}

/** What is inside of a value. */
export interface Parts {
  readonly count: number;
  /** How many more there are, which the page was not given. */
  readonly missing: number;
  /** The parts from an index on, up to another one. */
  slice(start: number, end: number): readonly Part[];
  /** What a range of them is called. */
  range(start: number, end: number): string;
}

/** Bytes in a row of a buffer, as it is shown: as many as fit beside an editor. */
const ROW = 8;
/** How many are in a preview. */
const PREVIEW_OF_BYTES = 16;
/** How long a preview is, roughly, in characters. */
const PREVIEW = 72;
/** How much of a text is in a preview, and how much where it stands alone. */
const PREVIEW_OF_TEXT = 32;
const MOST_OF_TEXT = 10_000;
/** How many bytes of a buffer or a text count as a part. */
const BYTES_OF_PART = 16;
/** How many parts are looked at to find out how many there are altogether. */
const LOOKED_AT = 1_000;

const NAME = /^[A-Za-z_]\w*$/;
const KEYWORDS = new Set(
  "and break do else elseif end false for function if in local nil not or repeat return then true until while".split(
    " ",
  ),
);
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

/** Whether there is something to see inside of a value. */
export function hasParts(value: unknown): boolean {
  return isTable(value) || value instanceof Uint8Array;
}

/** What is inside of a value, or undefined if nothing can be. */
export function partsOf(value: unknown): Parts | undefined {
  if (value instanceof Uint8Array) {
    return {
      count: Math.ceil(value.length / ROW),
      missing: 0,
      slice: (start, end) =>
        Array.from({ length: end - start }, (_, row) => rowOf(value, (start + row) * ROW)),
      range: (start, end) => `bytes ${start * ROW} … ${Math.min(end * ROW, value.length) - 1}`,
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

/** A row of a buffer: where it is, its bytes, and as ASCII. */
function rowOf(bytes: Uint8Array, start: number): Part {
  const row = bytes.subarray(start, start + ROW);
  const ascii = Array.from(row, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "."));
  const offset = start.toString(16).padStart(6, "0");
  return { key: undefined, value: new Verbatim(`${offset}  ${hex(row).padEnd(ROW * 3)} ${ascii.join("")}`) };
}

/** A text that stands for itself. */
class Verbatim {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

/** A key, as in a table constructor. */
function keyText(key: unknown): string {
  return typeof key === "string" && NAME.test(key) && !KEYWORDS.has(key) ? key : `[${brief(key)}]`;
}

/** A value in a line, in the words of Luau, shortened where it is large. */
export function preview(value: unknown): string {
  if (value instanceof Uint8Array) {
    const start = hex(value.subarray(0, PREVIEW_OF_BYTES));
    const size = `buffer of ${value.length.toLocaleString("en")} ${value.length === 1 ? "byte" : "bytes"}`;
    return start === "" ? size : `${size}: ${start}${value.length > PREVIEW_OF_BYTES ? " …" : ""}`;
  }
  if (!isTable(value)) {
    return scalarText(value, MOST_OF_TEXT);
  }
  const items: string[] = [];
  let length = 0;
  const count = sizeOf(value) + missingIn(value);
  for (const [key, item] of itemsOf(value)) {
    if (length > PREVIEW) {
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

/** A value in few characters. */
function brief(value: unknown): string {
  if (isTable(value)) {
    return sizeOf(value) + missingIn(value) === 0 ? "{}" : "{…}";
  }
  return value instanceof Uint8Array ? `buffer(${value.length})` : scalarText(value, PREVIEW_OF_TEXT);
}

function scalarText(value: unknown, length: number): string {
  switch (typeof value) {
    case "undefined":
      return "nil";
    case "string": {
      const cut = value.length > length ? `${value.slice(0, length)}…` : value;
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

/** The keys and values of a table; no keys where it is an array. */
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

/** How many parts values have altogether, roughly: a measure of the memory that they take. */
export function weightOf(values: readonly unknown[]): number {
  const seen = new Set<unknown>();
  const left: unknown[] = [...values];
  let weight = values.length;
  for (let looks = 0; looks < LOOKED_AT && left.length > 0; looks += 1) {
    const value = left.pop();
    if (value instanceof Uint8Array || typeof value === "string") {
      weight += value.length / BYTES_OF_PART;
    } else if (isTable(value) && !seen.has(value)) {
      seen.add(value);
      weight += sizeOf(value);
      for (const [, item] of itemsOf(value)) {
        left.push(item);
        if (left.length > LOOKED_AT) {
          break;
        }
      }
    }
  }
  return weight;
}
