// The entry for browsers and bundlers. It fetches the module from next to this file.

import { requireAddress } from "./address.js";
import { LuauVm, type Platform, type VmClass } from "./vm/luau.js";
import type { LuauOptions } from "./vm/options.js";

export * from "./vm/exports.js";

const PLATFORM: Platform = {
  wasm() {
    requireAddress(import.meta.url, "luau.wasm");
    // Bundlers recognize this exact form, and copy the file.
    return new URL("./luau.wasm", import.meta.url);
  },
};

/** A Luau VM; see {@link LuauVm}. */
export class Luau extends LuauVm {
  /**
   * Creates a VM. The WebAssembly module is loaded the first time. Called on a subclass, it creates an instance of that.
   *
   * @throws LuauError if a global cannot be converted or there is not enough memory, TypeError for a wrong option, Error if the
   * module cannot be loaded
   */
  static create<T extends Luau>(this: VmClass<T>, options?: LuauOptions): Promise<T>;
  static create(this: void, options?: LuauOptions): Promise<Luau>;
  static create(this: unknown, options: LuauOptions = {}): Promise<Luau> {
    // biome-ignore lint/complexity/noThisInStatic: a subclass makes an instance of itself
    return LuauVm.load((this as VmClass<Luau> | undefined) ?? Luau, options, PLATFORM);
  }
}
