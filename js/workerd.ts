// The entry for workerd, where WebAssembly cannot be compiled at run time: the module is imported.

import { LuauVm, type Platform } from "./luau.js";
import wasm from "./luau.wasm";
import type { LuauOptions } from "./options.js";

export * from "./exports.js";

const PLATFORM: Platform = { wasm: () => wasm, isolated: true };

/** A Luau VM; see {@link LuauVm}. */
export class Luau extends LuauVm {
  /**
   * Makes a VM.
   *
   * @throws LuauError when a global cannot be converted or there is not enough memory, TypeError for a wrong option
   */
  static create(options: LuauOptions = {}): Promise<Luau> {
    return LuauVm.load(Luau, options, PLATFORM);
  }
}
