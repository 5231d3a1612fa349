import { Luau, type LuauError } from "luau-websocket";
import type { Diagnostic } from "../types.js";

/** Finds syntax errors with the compiler that runs the scripts. It runs nothing. */
export class SyntaxChecker {
  readonly #module: WebAssembly.Module;
  #luau: Promise<Luau> | undefined;

  constructor(module: WebAssembly.Module) {
    this.#module = module;
  }

  /** Returns all errors of a file. */
  async check(name: string, source: string): Promise<Diagnostic[]> {
    this.#luau ??= Luau.create({ wasm: this.#module });
    let error: LuauError | null;
    try {
      error = (await this.#luau).check(source, name);
    } catch {
      // The instance ended. The next check creates a new one.
      this.#luau = undefined;
      return [];
    }
    if (error === null) {
      return [];
    }
    if (error.errors.length === 0) {
      // Only the compiler itself finds this error, and it reports no column.
      const message = error.message.replace(`${name}:${error.line}: `, "");
      const start = { chunkName: name, line: error.line ?? 1 };
      return [{ start, severity: "error", source: "syntax", message }];
    }
    return error.errors.map(({ message, line, column, endLine, endColumn }) => ({
      start: { chunkName: name, line, column },
      end: { chunkName: name, line: endLine, column: endColumn },
      severity: "error",
      source: "syntax",
      message,
    }));
  }
}
