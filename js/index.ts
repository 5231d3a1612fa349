// The entry for browsers and bundlers: the module is fetched from beside this file.

import { LuauVm, type Platform } from "./luau.js";
import type { LuauOptions } from "./options.js";

export * from "./exports.js";

const PLATFORM: Platform = {
  // In this very form bundlers find the file and copy it.
  wasm: () => new URL("./luau.wasm", import.meta.url),
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
