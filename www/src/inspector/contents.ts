// What messages look like.

/** What the beginning of a message is, for one line. */
const PREVIEW_CHARACTERS = 240;
const PREVIEW_BYTES = 48;
/** Longer texts are shown as they are: to lay them out anew would take too long. */
const LONGEST_JSON = 1_000_000;

const NUMBERS = new Intl.NumberFormat("en");

/** A count, with commas. */
export function countText(count: number): string {
  return NUMBERS.format(count);
}

/** A number of bytes, in three digits or so. */
export function sizeText(bytes: number): string {
  if (bytes < 1_000) {
    return `${bytes} B`;
  }
  const [value, unit] = bytes < 1_000_000 ? [bytes / 1_000, "kB"] : [bytes / 1_000_000, "MB"];
  return `${value.toFixed(value < 100 ? 1 : 0)} ${unit}`;
}

/** A time span in milliseconds. */
export function spanText(milliseconds: number): string {
  const seconds = milliseconds / 1_000;
  if (seconds < 60) {
    return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  }
  const minutes = Math.floor(seconds / 60);
  const rest = String(Math.floor(seconds % 60)).padStart(2, "0");
  return minutes < 60 ? `${minutes}:${rest} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** The beginning of a message, on one line. */
export function previewText(data: string | Uint8Array): string {
  if (typeof data === "string") {
    const start = data.slice(0, PREVIEW_CHARACTERS).replace(/\s+/g, " ");
    return data.length > PREVIEW_CHARACTERS ? `${start}…` : start;
  }
  const start = hexText(data.subarray(0, PREVIEW_BYTES));
  return data.length > PREVIEW_BYTES ? `${start} …` : start;
}

/** Each byte as a pair of digits. */
const PAIRS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Bytes in pairs of digits. */
export function hexText(bytes: Uint8Array): string {
  const pairs = new Array<string>(bytes.length);
  for (let at = 0; at < bytes.length; at++) {
    pairs[at] = PAIRS[bytes[at] ?? 0] ?? "";
  }
  return pairs.join(" ");
}

/**
 * The bytes that digits stand for, with spaces, commas and `0x` between them or not.
 *
 * @throws Error that says what is wrong, and where
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

/** A hex dump: where, the bytes, and those that are ASCII as it. */
export function dumpText(bytes: Uint8Array, perLine: number): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += perLine) {
    const part = bytes.subarray(at, at + perLine);
    const ascii = Array.from(part, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "."));
    const place = at.toString(16).padStart(6, "0");
    lines.push(`${place}  ${hexText(part).padEnd(perLine * 3 - 1)}  ${ascii.join("")}`);
  }
  return lines.join("\n");
}

/** Ways to show a message whole. */
export type View = "json" | "text" | "hex";

/** A message, made ready to be shown: what is costly is done once. */
export class Content {
  readonly #data: string | Uint8Array;
  /** Undefined where it is no text. */
  readonly #text: string | undefined;
  readonly #json: string | undefined;

  constructor(data: string | Uint8Array) {
    this.#data = data;
    this.#text = typeof data === "string" ? data : decoded(data);
    this.#json = typeof data === "string" ? prettyJson(data) : undefined;
  }

  /** The ways that there are to show it, the best first. */
  get views(): readonly View[] {
    if (typeof this.#data === "string") {
      return this.#json === undefined ? ["text", "hex"] : ["json", "text", "hex"];
    }
    return this.#text === undefined ? ["hex"] : ["hex", "text"];
  }

  /**
   * It whole, or its beginning.
   *
   * @param most how many characters, or bytes of a dump, at most
   * @param perLine how many bytes of a dump stand on a line
   * @returns the text, and how many characters or bytes are left
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

/** Only objects and arrays gain anything from it. */
function prettyJson(text: string): string | undefined {
  if (text.length > LONGEST_JSON || !/^\s*[[{]/.test(text)) {
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

/** A test for messages that contain something: text in any letter case; in bytes its UTF-8, or the bytes that it is in hex. */
export function searchFor(text: string): (data: string | Uint8Array) => boolean {
  const lower = text.toLowerCase();
  const needles: Uint8Array[] = [new TextEncoder().encode(text)];
  try {
    const bytes = bytesFromHex(text);
    if (bytes.length > 0) {
      needles.push(bytes);
    }
  } catch {
    // Only a text, then.
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
