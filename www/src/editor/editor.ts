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
import { highlighting, luauSupport } from "./language.js";
import { markLines, marks } from "./marks.js";
import { offsetOf, problemsIn, together } from "./problems.js";
import { tappedProblems } from "./tapped.js";

/** Told of what the visitor does, and asked for what the editor cannot know. */
export interface EditorOptions {
  /** After a change by the visitor. */
  onChange(name: string, source: string): void;
  /** Ctrl+Enter or Cmd+Enter. */
  onRun(): void;
  /** Of all tabs. */
  fileNames(): readonly string[];
  /** The type of what stands at a place, from the checker. */
  hover?(place: Place): Promise<string | undefined>;
}

/** How many lines are looked at to know what a file is indented with. */
const LINES_FOR_UNIT = 200;

/** A file that is not shown. */
interface Hidden {
  readonly state: EditorState;
  readonly scroll: StateEffect<unknown> | undefined;
}

const DESCRIPTION =
  "Tab indents. To leave the editor with Tab, press Escape first. F8 goes to the next problem.";

/**
 * The editor. Each file has its own history, selection and place.
 *
 * It is mounted in a shadow root: CodeMirror makes style sheets there by constructor, which the content security policy allows; a
 * style element it does not.
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
   * Loads what can come later: completion, explanations and the search.
   *
   * @throws Error when that fails
   */
  async load(): Promise<void> {
    const { later } = await import("./later.js");
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

  /** Shows a file. `source` is what is in it, unless it was shown before. */
  show(name: string, source: string): void {
    if (name === this.#name) {
      return;
    }
    // A tooltip that is open would be looked for in the other file.
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

  /** Puts another source in the place of a file's, with its history. */
  replace(name: string, source: string): void {
    if (name === this.#name) {
      this.#put(this.#stateOf(source));
    } else {
      this.#hidden.set(name, { state: this.#stateOf(source), scroll: undefined });
    }
  }

  #put(state: EditorState): void {
    this.#view.dispatch({ effects: closeHoverTooltips });
    // Has it done now what it has put off to measure, such as where a tooltip goes: in the new state its places do not exist.
    this.#view.coordsAtPos(0);
    this.#view.setState(state);
  }

  /** A file has another name. */
  rename(from: string, to: string): void {
    const hidden = this.#hidden.get(from);
    if (from === this.#name) {
      this.#name = to;
    } else if (hidden !== undefined) {
      this.#hidden.set(to, hidden);
    }
    this.#hidden.delete(from);
  }

  /** Other files take the place of all. */
  forgetAll(): void {
    this.#hidden.clear();
    this.#name = "";
  }

  /** A file is gone. */
  forget(name: string): void {
    this.#hidden.delete(name);
    if (name === this.#name) {
      this.#name = "";
    }
  }

  /** Shows what the compiler or the type checker says of a file as it is now, in the place of what the same one said before. */
  setDiagnostics(name: string, source: Diagnostic["source"], diagnostics: readonly Diagnostic[]): void {
    this.#update(name, (state) => {
      // Those that are shown have moved with what they are about.
      const shown: Problem[] = [];
      forEachDiagnostic(state, (problem, from, to) => shown.push({ ...problem, from, to }));
      return setDiagnostics(state, together(shown, source, problemsIn(state.doc, diagnostics)));
    });
  }

  /** The type checker has nothing to say any more. */
  clearTypes(): void {
    for (const name of this.#names()) {
      this.setDiagnostics(name, "types", []);
    }
  }

  /** Goes to a place in the file that is shown, and marks its line until the next edit. */
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

  /** Nothing is marked any more. */
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

  /** Changes the state of a file, whether it is shown or not. */
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

/** What a file is indented with: what its first indented line has; tabs where there is none. */
function unitOf(doc: Text): string {
  for (const line of doc.iterLines(1, Math.min(doc.lines, LINES_FOR_UNIT) + 1)) {
    const unit = /^(?:\t| {2,8})(?=\S)/.exec(line)?.[0];
    if (unit !== undefined) {
      return unit;
    }
  }
  return "\t";
}
