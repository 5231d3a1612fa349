// The entry for Node, Deno and Bun: the module is read from the file beside this one.

import { readFile } from "node:fs/promises";
import { LuauVm, type Platform } from "./luau.js";
import type { LuauOptions } from "./options.js";

export * from "./exports.js";

const PLATFORM: Platform = {
  wasm: () => new URL("./luau.wasm", import.meta.url),
  // Node's `fetch` takes no file: URLs.
  readFile: async (file) => Uint8Array.from(await readFile(file)),
};

/** A Luau VM; see {@link LuauVm}. */
export class Luau extends LuauVm {
  /**
   * Makes a VM. The WebAssembly module is loaded the first time.
   *
   * @throws LuauError when a global cannot be converted or there is not enough memory, TypeError for a wrong option, Error when the
   * module cannot be loaded
   */
  static create(options: LuauOptions = {}): Promise<Luau> {
    return LuauVm.load(Luau, options, PLATFORM);
  }
}
