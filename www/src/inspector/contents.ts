// Formats messages for display and search.

import { dumpLine, hexText } from "../hex.js";

/** The length of a preview line. */
const PREVIEW_CHARACTERS = 240;
const PREVIEW_BYTES = 48;
/** Longer texts are not reformatted, because that would take too long. */
const MAX_JSON_LENGTH = 1_000_000;

const NUMBERS = new Intl.NumberFormat("en");

/** Formats a count, with commas. */
export function countText(count: number): string {
  return NUMBERS.format(count);
}

/** Formats a number of bytes with about three digits. */
export function sizeText(bytes: number): string {
  if (bytes < 1_000) {
    return `${bytes} B`;
  }
  const [value, unit] = bytes < 1_000_000 ? [bytes / 1_000, "kB"] : [bytes / 1_000_000, "MB"];
  return `${value.toFixed(value < 100 ? 1 : 0)} ${unit}`;
}

/** Formats a duration in milliseconds. */
export function spanText(milliseconds: number): string {
  const seconds = milliseconds / 1_000;
  if (seconds < 60) {
    return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  }
  const minutes = Math.floor(seconds / 60);
  const rest = String(Math.floor(seconds % 60)).padStart(2, "0");
  return minutes < 60 ? `${minutes}:${rest} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Returns the beginning of a message, on one line. */
export function previewText(data: string | Uint8Array): string {
  if (typeof data === "string") {
    const start = data.slice(0, PREVIEW_CHARACTERS).replace(/\s+/g, " ");
    return data.length > PREVIEW_CHARACTERS ? `${start}…` : start;
  }
  const start = hexText(data.subarray(0, PREVIEW_BYTES));
  return data.length > PREVIEW_BYTES ? `${start} …` : start;
}

/**
 * Parses hex digits, with or without spaces, commas and `0x`.
 *
 * @throws Error if a character is wrong or a digit is missing
 */
export function bytesFromHex(text: string): Uint8Array {
  const digits = text.replace(/0x|[\s,]/gi, "");
  const wrong = digits.search(/[^\da-f]/i);
  if (wrong >= 0) {
    throw new Error(`“${digits.charAt(wrong)}” is not a hexadecimal digit.`);
  }
  if (digits.length % 2 === 1) {
    throw new Error("Each byte needs two hex digits.");
  }
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** The formats in which a whole message can be shown. */
export type View = "json" | "text" | "hex";

/** A message prepared for display, so that expensive conversions happen only once. */
export class Content {
  readonly #data: string | Uint8Array;
  /** Undefined if the message is not text. */
  readonly #text: string | undefined;
  readonly #json: string | undefined;

  constructor(data: string | Uint8Array) {
    this.#data = data;
    this.#text = typeof data === "string" ? data : decoded(data);
    this.#json = typeof data === "string" ? prettyJson(data) : undefined;
  }

  /** The formats that suit the message, best first. */
  get views(): readonly View[] {
    if (typeof this.#data === "string") {
      return this.#json === undefined ? ["text", "hex"] : ["json", "text", "hex"];
    }
    return this.#text === undefined ? ["hex"] : ["hex", "text"];
  }

  /**
   * Returns all or the beginning of the message in a format.
   *
   * @param most the limit of characters, or of bytes in a dump
   * @param perLine the number of bytes per line of a dump
   * @returns the text, and the number of characters or bytes left out
   */
  show(view: View, most: number, perLine: number): { text: string; left: number } {
    if (view === "hex") {
      const bytes = this.#bytes();
      return { text: dumpText(bytes.subarray(0, most), perLine), left: Math.max(0, bytes.length - most) };
    }
    const text = (view === "json" ? this.#json : this.#text) ?? "";
    return { text: text.slice(0, most), left: Math.max(0, text.length - most) };
  }

  #bytes(): Uint8Array {
    return typeof this.#data === "string" ? new TextEncoder().encode(this.#data) : this.#data;
  }
}

/** Returns a hex dump of bytes. */
function dumpText(bytes: Uint8Array, perLine: number): string {
  const lines: string[] = [];
  for (let offset = 0; offset < bytes.length; offset += perLine) {
    lines.push(dumpLine(bytes, offset, perLine));
  }
  return lines.join("\n");
}

/** Formats JSON. Only objects and arrays benefit. */
function prettyJson(text: string): string | undefined {
  if (text.length > MAX_JSON_LENGTH || !/^\s*[[{]/.test(text)) {
    return undefined;
  }
  try {
    return JSON.stringify(JSON.parse(text), undefined, 2);
  } catch {
    return undefined;
  }
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/**
 * Returns a predicate for messages that contain a text. It ignores case in text messages; in binary ones it looks for
 * the UTF-8 of the text or, if the text is hex, for those bytes.
 */
export function searchFor(text: string): (data: string | Uint8Array) => boolean {
  const lower = text.toLowerCase();
  const needles: Uint8Array[] = [new TextEncoder().encode(text)];
  try {
    const bytes = bytesFromHex(text);
    if (bytes.length > 0) {
      needles.push(bytes);
    }
  } catch {
    // The text is not hex, so only its UTF-8 can match.
  }
  return (data) =>
    typeof data === "string"
      ? data.toLowerCase().includes(lower)
      : needles.some((needle) => contains(data, needle));
}

function contains(bytes: Uint8Array, needle: Uint8Array): boolean {
  const [first = 0] = needle;
  for (let at = bytes.indexOf(first); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (needle.every((byte, index) => bytes[at + index] === byte)) {
      return true;
    }
  }
  return false;
}
