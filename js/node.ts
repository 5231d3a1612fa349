// The entry for Node, Deno and Bun. It reads the module from next to this file.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { LuauVm, type Platform, type VmClass } from "./vm/luau.js";
import type { LuauOptions } from "./vm/options.js";

export * from "./vm/exports.js";

/** The error for a bundled program without luau.wasm next to it. */
const NOT_FOUND =
  "cannot find luau.wasm, which bundlers for Node do not copy. Leave luau-websocket out of the bundle: in Next.js with serverExternalPackages: " +
  '["luau-websocket"], in others as an external package. Or pass the path of the file in the option wasm, or import ' +
  "luau-websocket/inline, which needs no file";

/** The file next to this one, after the first search. */
let own: URL | undefined;

/** Returns the file next to this one, or undefined in a bundle that does not know its own address. */
function besideThis(): URL | undefined {
  try {
    const url = new URL("./luau.wasm", import.meta.url);
    return url.protocol === "file:" ? url : undefined;
  } catch {
    // A CommonJS bundle has no `import.meta.url`.
    return undefined;
  }
}

/** Returns the file in node_modules. Bundled programs usually run in the folder that contains it. */
function installed(): URL {
  try {
    const require = createRequire(join(process.cwd(), "index.js"));
    return pathToFileURL(require.resolve("luau-websocket/luau.wasm"));
  } catch (error) {
    throw new Error(NOT_FOUND, { cause: error });
  }
}

const PLATFORM: Platform = {
  wasm() {
    own = besideThis();
    return own ?? installed();
  },
  // Node's `fetch` does not support file: URLs.
  async readFile(file) {
    try {
      return Uint8Array.from(await readFile(file));
    } catch (error) {
      if (own?.href !== String(file) || (error as { code?: unknown }).code !== "ENOENT") {
        throw error;
      }
      return Uint8Array.from(await readFile(installed()));
    }
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
