// The entry for workerd, where WebAssembly cannot be compiled at run time: the module is imported.

import wasm from "./luau.wasm";
import { LuauVm, type Platform, type VmClass } from "./vm/luau.js";
import type { LuauOptions } from "./vm/options.js";

export * from "./vm/exports.js";

const PLATFORM: Platform = { wasm: () => wasm, isolated: true };

/** A Luau VM; see {@link LuauVm}. */
export class Luau extends LuauVm {
  /**
   * Creates a VM. Called on a subclass, it creates an instance of that.
   *
   * @throws LuauError if a global cannot be converted or there is not enough memory, TypeError for a wrong option
   */
  static create<T extends Luau>(this: VmClass<T>, options?: LuauOptions): Promise<T>;
  static create(this: void, options?: LuauOptions): Promise<Luau>;
  static create(this: unknown, options: LuauOptions = {}): Promise<Luau> {
    // biome-ignore lint/complexity/noThisInStatic: a subclass makes an instance of itself
    return LuauVm.load((this as VmClass<Luau> | undefined) ?? Luau, options, PLATFORM);
  }
}
