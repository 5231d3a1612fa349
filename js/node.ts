// The entry for Node, Deno and Bun: the module is read from the file beside this one.

import { readFile } from "node:fs/promises";
import { LuauVm, type Platform } from "./luau.js";
import type { LuauOptions } from "./options.js";

export * from "./exports.js";

/** What to do about it: a bundler has made one file of the program, and this package's other one is not beside it. */
const NOT_BESIDE =
  "Bundlers for Node do not copy luau.wasm: leave luau-websocket out of the bundle, give the path of the file as the option wasm, " +
  "or import luau-websocket/inline, which needs no file";

/** The file beside this one, once it was looked for. */
let own: URL | undefined;

const PLATFORM: Platform = {
  wasm() {
    try {
      own = new URL("./luau.wasm", import.meta.url);
      return own;
    } catch (error) {
      // In CommonJS, which such a bundle may be, there is no `import.meta.url`.
      throw new Error(`cannot find luau.wasm. ${NOT_BESIDE}`, { cause: error });
    }
  },
  // Node's `fetch` takes no file: URLs.
  async readFile(file) {
    try {
      return Uint8Array.from(await readFile(file));
    } catch (error) {
      if (own?.href === String(file) && (error as { code?: unknown }).code === "ENOENT") {
        throw new Error(`there is no such file. ${NOT_BESIDE}`, { cause: error });
      }
      throw error;
    }
  },
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
