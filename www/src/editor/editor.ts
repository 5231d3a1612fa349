import "./editor.css";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import {
  bracketMatching,
  codeFolding,
  foldGutter,
  foldKeymap,
  indentOnInput,
  indentUnit,
  syntaxHighlighting,
} from "@codemirror/language";
import {
  forEachDiagnostic,
  lintGutter,
  lintKeymap,
  type Diagnostic as Problem,
  setDiagnostics,
} from "@codemirror/lint";
import {
  Compartment,
  EditorState,
  type Extension,
  type StateEffect,
  type Text,
  type TransactionSpec,
} from "@codemirror/state";
import {
  closeHoverTooltips,
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  highlightSpecialChars,
  keymap,
  lineNumbers,
  rectangularSelection,
} from "@codemirror/view";
import type { Diagnostic, Place } from "../types.js";
import { appearance } from "./appearance.js";
import { closeBlock } from "./blocks.js";
import { markLines, marks } from "./error-lines.js";
import { highlighting, luauSupport } from "./language.js";
import { offsetOf, problemsIn, together } from "./problems.js";
import { tappedProblems } from "./touch-diagnostics.js";

/** Callbacks for the user's actions, and sources of what the editor cannot know. */
export interface EditorOptions {
  /** Called after the user changed a file. */
  onChange(name: string, source: string): void;
  /** Called on Ctrl+Enter or Cmd+Enter. */
  onRun(): void;
  /** Returns the names of all tabs. */
  fileNames(): readonly string[];
  /** Returns the type of the expression at a place, from the checker. */
  hover?(place: Place): Promise<string | undefined>;
}

/** The number of lines that are read to detect a file's indentation. */
const LINES_FOR_UNIT = 200;

/** The state of a file that is not shown. */
interface Hidden {
  readonly state: EditorState;
  readonly scroll: StateEffect<unknown> | undefined;
}

const DESCRIPTION =
  "Tab indents. To leave the editor with Tab, press Escape first. F8 goes to the next problem.";

/**
 * The editor. Each file has its own history, selection and scroll position.
 *
 * It is mounted in a shadow root: there CodeMirror uses constructed style sheets, which the content security policy
 * allows. It forbids style elements.
 */
export class Editor {
  readonly #options: EditorOptions;
  readonly #view: EditorView;
  #extensions: Extension;
  readonly #hidden = new Map<string, Hidden>();
  readonly #later = new Compartment();
  #name = "";

  constructor(host: HTMLElement, options: EditorOptions) {
    this.#options = options;
    this.#extensions = this.#all([]);
    const root = host.attachShadow({ mode: "open", delegatesFocus: true });
    const description = document.createElement("span");
    description.id = "description";
    description.hidden = true;
    description.textContent = DESCRIPTION;
    this.#view = new EditorView({ root, parent: root });
    root.append(description);
  }

  /**
   * Loads the parts that can come later: completion, hover explanations and search.
   *
   * @throws Error if loading fails
   */
  async load(): Promise<void> {
    const { later } = await import("./deferred-extensions.js");
    const { fileNames, hover } = this.#options;
    const extension = later({
      fileName: () => this.#name,
      fileNames,
      typeAt: async (view, offset) => {
        const { number, from } = view.state.doc.lineAt(offset);
        return hover?.({ chunkName: this.#name, line: number, column: offset - from + 1 });
      },
    });
    this.#extensions = this.#all(extension);
    for (const name of this.#names()) {
      this.#update(name, () => ({ effects: this.#later.reconfigure(extension) }));
    }
  }

  /** Shows a file. `source` is its content unless it was shown before. */
  show(name: string, source: string): void {
    if (name === this.#name) {
      return;
    }
    // An open tooltip would be looked up in the other file.
    this.#view.dispatch({ effects: closeHoverTooltips });
    this.#leave();
    const known = this.#hidden.get(name);
    this.#hidden.delete(name);
    this.#name = name;
    this.#put(known?.state ?? this.#stateOf(source));
    if (known?.scroll !== undefined) {
      this.#view.dispatch({ effects: known.scroll });
    }
  }

  /** Replaces the source of a file, and clears its history. */
  replace(name: string, source: string): void {
    if (name === this.#name) {
      this.#put(this.#stateOf(source));
    } else {
      this.#hidden.set(name, { state: this.#stateOf(source), scroll: undefined });
    }
  }

  #put(state: EditorState): void {
    this.#view.dispatch({ effects: closeHoverTooltips });
    // Flushes pending measurements, such as a tooltip's position: their offsets do not exist in the new state.
    this.#view.coordsAtPos(0);
    this.#view.setState(state);
  }

  /** Renames a file. */
  rename(from: string, to: string): void {
    const hidden = this.#hidden.get(from);
    if (from === this.#name) {
      this.#name = to;
    } else if (hidden !== undefined) {
      this.#hidden.set(to, hidden);
    }
    this.#hidden.delete(from);
  }

  /** Forgets all files, because others replace them. */
  forgetAll(): void {
    this.#hidden.clear();
    this.#name = "";
  }

  /** Forgets a deleted file. */
  forget(name: string): void {
    this.#hidden.delete(name);
    if (name === this.#name) {
      this.#name = "";
    }
  }

  /** Shows diagnostics for the current text of a file. They replace the previous ones from the same source. */
  setDiagnostics(name: string, source: Diagnostic["source"], diagnostics: readonly Diagnostic[]): void {
    this.#update(name, (state) => {
      // The shown diagnostics have moved along with their text.
      const shown: Problem[] = [];
      forEachDiagnostic(state, (problem, from, to) => shown.push({ ...problem, from, to }));
      return setDiagnostics(state, together(shown, source, problemsIn(state.doc, diagnostics)));
    });
  }

  /** Removes all diagnostics of the type checker. */
  clearTypes(): void {
    for (const name of this.#names()) {
      this.setDiagnostics(name, "types", []);
    }
  }

  /** Moves the cursor to a place in the shown file, and marks its line until the next edit. */
  reveal(place: Place): void {
    const { doc } = this.#view.state;
    const position = offsetOf(doc, place);
    const line = doc.lineAt(position).number;
    this.#view.dispatch({
      selection: { anchor: position },
      effects: [markLines.of([line]), EditorView.scrollIntoView(position, { y: "center" })],
    });
    this.#view.focus();
  }

  /** Marks lines of a file until the next edit. */
  markLines(name: string, lines: readonly number[]): void {
    this.#update(name, () => ({ effects: markLines.of(lines) }));
  }

  /** Removes the marks from all files. */
  clearMarks(): void {
    for (const name of this.#names()) {
      this.markLines(name, []);
    }
  }

  focus(): void {
    this.#view.focus();
  }

  #names(): string[] {
    return [this.#name, ...this.#hidden.keys()];
  }

  /** Updates the state of a file, whether it is shown or not. */
  #update(name: string, change: (state: EditorState) => TransactionSpec): void {
    const hidden = this.#hidden.get(name);
    if (name === this.#name) {
      this.#view.dispatch(change(this.#view.state));
    } else if (hidden !== undefined) {
      const { state } = hidden.state.update(change(hidden.state));
      this.#hidden.set(name, { ...hidden, state });
    }
  }

  #leave(): void {
    if (this.#name !== "") {
      this.#hidden.set(this.#name, { state: this.#view.state, scroll: this.#view.scrollSnapshot() });
    }
  }

  #stateOf(source: string): EditorState {
    return EditorState.create({ doc: source, extensions: this.#extensions });
  }

  #all(later: Extension): Extension {
    const { onChange, onRun } = this.#options;
    const run = () => {
      onRun();
      return true;
    };
    return [
      keymap.of([
        { key: "Mod-Enter", run, preventDefault: true },
        indentWithTab,
        { key: "Enter", run: closeBlock },
        ...defaultKeymap,
        ...historyKeymap,
        ...foldKeymap,
        ...lintKeymap,
      ]),
      lineNumbers(),
      foldGutter(),
      lintGutter(),
      tappedProblems,
      codeFolding(),
      highlightSpecialChars(),
      history(),
      drawSelection(),
      EditorState.allowMultipleSelections.of(true),
      EditorState.tabSize.of(4),
      indentUnit.compute(["doc"], ({ doc }) => unitOf(doc)),
      indentOnInput(),
      bracketMatching(),
      rectangularSelection(),
      highlightActiveLine(),
      highlightActiveLineGutter(),
      luauSupport,
      syntaxHighlighting(highlighting),
      this.#later.of(later),
      marks,
      appearance,
      EditorView.contentAttributes.of({
        "aria-label": "Script",
        "aria-describedby": "description",
        tabindex: "0",
      }),
      EditorView.updateListener.of(({ docChanged, state }) => {
        if (docChanged) {
          onChange(this.#name, state.doc.toString());
        }
      }),
    ];
  }
}

/** Returns the unit of indentation of a file: that of its first indented line, or a tab if there is none. */
function unitOf(doc: Text): string {
  for (const line of doc.iterLines(1, Math.min(doc.lines, LINES_FOR_UNIT) + 1)) {
    const unit = /^(?:\t| {2,8})(?=\S)/.exec(line)?.[0];
    if (unit !== undefined) {
      return unit;
    }
  }
  return "\t";
}
