// Compiles the files and checks their types a while after each change, and shows what is wrong.

import { Checker, type CheckerState } from "./checker/client.js";
import { debounce } from "./debounce.js";
import type { Editor } from "./editor/editor.js";
import type { SyntaxChecker } from "./editor/syntax.js";
import type { Place } from "./types.js";
import type { Workspace } from "./workspace.js";

/** The delay between a change of a file and compiling it, or checking its types, in milliseconds. */
const COMPILE_DELAY_MS = 150;
const CHECK_DELAY_MS = 500;

/** Callbacks and parts of {@link Diagnostics}. */
interface DiagnosticsOptions {
  readonly workspace: Workspace;
  readonly editor: () => Editor;
  onState(state: CheckerState, reason: string): void;
}

/** The diagnostics of the files. */
export class Diagnostics {
  readonly #options: DiagnosticsOptions;
  readonly #checker: Checker;
  /** Loaded after the files that Run needs. */
  #syntax: SyntaxChecker | undefined;
  #checksTypes = false;

  constructor(options: DiagnosticsOptions) {
    this.#options = options;
    this.#checker = new Checker({
      onState(state, reason = "") {
        options.onState(state, reason);
        if (state === "paused" || state === "disabled") {
          options.editor().clearTypes();
        }
      },
    });
  }

  /** Begins to check types. The files that Run needs load first, because the checker is as large as all of them. */
  enableTypes(): void {
    this.#checksTypes = true;
  }

  /** Begins to compile. */
  enableSyntax(syntax: SyntaxChecker): void {
    this.#syntax = syntax;
  }

  /** Lets the type checker try again after it failed. */
  resetFailures(): void {
    this.#checker.resetFailures();
  }

  /** Returns the type at a place, for the hover. */
  typeAt(place: Place): Promise<string | undefined> {
    return this.#checker.typeAt(place);
  }

  /** Schedules a check of a file. */
  schedule(name: string): void {
    const { workspace, editor } = this.#options;
    const sourceOf = (wanted: string) => workspace.files.find(({ name }) => name === wanted)?.source;
    debounce(`syntax of ${name}`, COMPILE_DELAY_MS, async () => {
      const source = sourceOf(name);
      const found = source === undefined ? undefined : await this.#syntax?.check(name, source);
      // If the file changed in the meantime, another check is scheduled already.
      if (found !== undefined && source === sourceOf(name)) {
        editor().setDiagnostics(name, "syntax", found);
      }
    });
    if (!this.#checksTypes) {
      return;
    }
    debounce("types", CHECK_DELAY_MS, async () => {
      const files = Object.fromEntries(workspace.files.map(({ name, source }) => [name, source]));
      const found = await this.#checker.check(files);
      for (const [name, types] of Object.entries(found ?? {})) {
        if (files[name] === sourceOf(name)) {
          editor().setDiagnostics(name, "types", types);
        }
      }
    });
  }

  /** Schedules a check of all files. */
  scheduleAll(): void {
    for (const { name } of this.#options.workspace.files) {
      this.schedule(name);
    }
  }
}
