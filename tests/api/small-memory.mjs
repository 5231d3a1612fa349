// Compiles the module with a memory limit, as if the engine had no more.

import { readFile } from "node:fs/promises";

const MEMORY_SECTION = 5;
/** The header of a WebAssembly module: magic number and version. */
const HEADER = 8;

/** @param {number} maximum the most memory of an instance, in pages of 64 KiB */
export async function moduleWithMaximum(maximum) {
  const bytes = await readFile(new URL("../../pkg/luau.wasm", import.meta.url));
  let at = HEADER;
  while (at < bytes.length) {
    const id = bytes[at];
    const [length, start] = varint(bytes, at + 1);
    if (id === MEMORY_SECTION) {
      const [, afterCount] = varint(bytes, start);
      const [minimum] = varint(bytes, afterCount + 1);
      const limits = [1, 1, ...toVarint(minimum), ...toVarint(maximum)];
      const section = [MEMORY_SECTION, ...toVarint(limits.length), ...limits];
      return WebAssembly.compile(
        Buffer.concat([bytes.subarray(0, at), Uint8Array.from(section), bytes.subarray(start + length)]),
      );
    }
    at = start + length;
  }
  throw new Error("the module has no memory section");
}

/**
 * Reads an unsigned LEB128 number (WebAssembly, section 5.2.2).
 *
 * @param {Uint8Array} bytes
 * @param {number} at
 * @returns {[value: number, end: number]}
 */
function varint(bytes, at) {
  let [value, shift, end] = [0, 0, at];
  for (;;) {
    const byte = bytes[end++] ?? 0;
    value += (byte & 0x7f) * 2 ** shift;
    shift += 7;
    if (byte < 0x80) {
      return [value, end];
    }
  }
}

/** @param {number} value */
function toVarint(value) {
  const bytes = [];
  while (value >= 0x80) {
    bytes.push((value & 0x7f) | 0x80);
    value = Math.floor(value / 0x80);
  }
  return [...bytes, value];
}
