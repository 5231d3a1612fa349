// Formats bytes as hexadecimal digits.

/** The two hex digits of each byte. */
const PAIRS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Formats bytes as pairs of hex digits. */
export function hexText(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => PAIRS[byte]).join(" ");
}

/** Returns a line of a hex dump: the offset, the bytes, and the printable ASCII characters. */
export function dumpLine(bytes: Uint8Array, offset: number, perLine: number): string {
  const part = bytes.subarray(offset, offset + perLine);
  const ascii = Array.from(part, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "."));
  return `${offset.toString(16).padStart(6, "0")}  ${hexText(part).padEnd(perLine * 3 - 1)}  ${ascii.join("")}`;
}
