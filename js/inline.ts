// The entry that contains the module, for pages that cannot load a second file and for bundlers that copy none.

import { wasm } from "./inline-wasm.js";
import { LuauVm, type Platform, type VmClass } from "./vm/luau.js";
import type { LuauOptions } from "./vm/options.js";

export * from "./vm/exports.js";

const PLATFORM: Platform = {
  wasm: async () => {
    const packed = Uint8Array.from(atob(wasm), (char) => char.charCodeAt(0));
    const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(unpacked, { headers: { "Content-Type": "application/wasm" } });
  },
};

/** A Luau VM; see {@link LuauVm}. */
export class Luau extends LuauVm {
  /**
   * Creates a VM. The WebAssembly module is unpacked the first time. Called on a subclass, it creates an instance of that.
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
