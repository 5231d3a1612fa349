// The entry for browsers and bundlers: the module is fetched from beside this file.

import { requireAddress } from "./address.js";
import { LuauVm, type Platform, type VmClass } from "./luau.js";
import type { LuauOptions } from "./options.js";

export * from "./exports.js";

const PLATFORM: Platform = {
  wasm() {
    requireAddress(import.meta.url, "luau.wasm");
    // In this very form bundlers find the file and copy it.
    return new URL("./luau.wasm", import.meta.url);
  },
};

/** A Luau VM; see {@link LuauVm}. */
export class Luau extends LuauVm {
  /**
   * Makes a VM. The WebAssembly module is loaded the first time. A subclass makes an instance of itself.
   *
   * @throws LuauError when a global cannot be converted or there is not enough memory, TypeError for a wrong option, Error when the
   * module cannot be loaded
   */
  static create<T extends Luau>(this: VmClass<T>, options?: LuauOptions): Promise<T>;
  static create(this: void, options?: LuauOptions): Promise<Luau>;
  static create(this: unknown, options: LuauOptions = {}): Promise<Luau> {
    // biome-ignore lint/complexity/noThisInStatic: a subclass makes an instance of itself
    return LuauVm.load((this as VmClass<Luau> | undefined) ?? Luau, options, PLATFORM);
  }
}
