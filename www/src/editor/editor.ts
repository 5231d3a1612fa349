import "./editor.css";
import {
  acceptCompletion,
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import {
  bracketMatching,
  codeFolding,
  foldGutter,
  foldKeymap,
  indentOnInput,
  syntaxHighlighting,
} from "@codemirror/language";
import { type Diagnostic as Lint, lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { EditorState, type Extension, StateEffect, StateField, type Text } from "@codemirror/state";
import {
  closeHoverTooltips,
  Decoration,
  type DecorationSet,
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  highlightSpecialChars,
  hoverTooltip,
  keymap,
  lineNumbers,
  rectangularSelection,
  type Tooltip,
} from "@codemirror/view";
import type { Diagnostic, Place } from "../types.js";
import { API } from "./api.js";
import { appearance } from "./appearance.js";
import { highlighting, luauLanguage } from "./language.js";
import { describe, membersOf, pathBefore, suggest } from "./suggestions.js";

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

/** Lines that an error names; they are marked until the next edit. */
const markLines = StateEffect.define<readonly number[]>();
const marked = Decoration.line({ class: "cm-marked" });
const marks = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(before, transaction) {
    for (const effect of transaction.effects) {
      if (effect.is(markLines)) {
        const { doc } = transaction.state;
        const lines = [...new Set(effect.value)].filter((line) => line >= 1 && line <= doc.lines);
        return Decoration.set(lines.sort((a, b) => a - b).map((line) => marked.range(doc.line(line).from)));
      }
    }
    return transaction.docChanged ? Decoration.none : before;
  },
  provide: (field) => EditorView.decorations.from(field),
});

/**
 * The editor. Each file has its own history, selection and place.
 *
 * It is mounted in a shadow root: CodeMirror makes style sheets there by constructor, which the content security policy allows; a
 * style element it does not.
 */
export class Editor {
  readonly #options: EditorOptions;
  readonly #view: EditorView;
  readonly #extensions: Extension;
  readonly #states = new Map<string, { state: EditorState; scroll: number }>();
  readonly #diagnostics = new Map<string, readonly Diagnostic[]>();
  #name = "";

  constructor(host: HTMLElement, options: EditorOptions) {
    this.#options = options;
    this.#extensions = this.#all();
    const root = host.attachShadow({ mode: "open", delegatesFocus: true });
    this.#view = new EditorView({ root, parent: root });
    this.#view.dom.style.setProperty("height", "100%");
  }

  /** Shows a file. `source` is what is in it, unless it was shown before. */
  show(name: string, source: string): void {
    // One that is open would be looked for in the other file.
    this.#view.dispatch({ effects: closeHoverTooltips });
    this.#leave();
    const known = this.#states.get(name);
    this.#name = name;
    this.#view.setState(known?.state ?? this.#stateOf(source));
    this.#view.scrollDOM.scrollTop = known?.scroll ?? 0;
    this.#showDiagnostics();
  }

  /** Puts another source in the place of a file's, with its history. */
  replace(name: string, source: string): void {
    this.#states.set(name, { state: this.#stateOf(source), scroll: 0 });
    this.#diagnostics.delete(name);
    if (name === this.#name) {
      this.#name = "";
      this.show(name, source);
    }
  }

  /** A file has another name. */
  rename(from: string, to: string): void {
    this.#leave();
    const state = this.#states.get(from);
    this.#states.delete(from);
    if (state !== undefined) {
      this.#states.set(to, state);
    }
    this.#diagnostics.delete(from);
    if (this.#name === from) {
      this.#name = to;
    }
  }

  /** A file is gone. */
  forget(name: string): void {
    this.#states.delete(name);
    this.#diagnostics.delete(name);
    if (name === this.#name) {
      this.#name = "";
    }
  }

  /** Shows what is wrong with a file. */
  setDiagnostics(name: string, diagnostics: readonly Diagnostic[]): void {
    this.#diagnostics.set(name, diagnostics);
    if (name === this.#name) {
      this.#showDiagnostics();
    }
  }

  /** Goes to a place in the file that is shown, and marks its line. */
  reveal(place: Place): void {
    const { doc } = this.#view.state;
    const line = doc.line(Math.min(Math.max(place.line, 1), doc.lines));
    const position = Math.min(line.from + Math.max((place.column ?? 1) - 1, 0), line.to);
    this.#view.dispatch({
      selection: { anchor: position },
      effects: [markLines.of([line.number]), EditorView.scrollIntoView(position, { y: "center" })],
    });
    this.#view.focus();
  }

  /** Marks lines of a file until the next edit. */
  markLines(name: string, lines: readonly number[]): void {
    if (name === this.#name) {
      this.#view.dispatch({ effects: markLines.of(lines) });
      return;
    }
    const known = this.#states.get(name);
    if (known !== undefined) {
      const { state } = known.state.update({ effects: markLines.of(lines) });
      this.#states.set(name, { state, scroll: known.scroll });
    }
  }

  /** Nothing is marked any more. */
  clearMarks(): void {
    for (const name of [this.#name, ...this.#states.keys()]) {
      this.markLines(name, []);
    }
  }

  focus(): void {
    this.#view.focus();
  }

  #leave(): void {
    if (this.#name !== "") {
      this.#states.set(this.#name, { state: this.#view.state, scroll: this.#view.scrollDOM.scrollTop });
    }
  }

  #stateOf(source: string): EditorState {
    return EditorState.create({ doc: source, extensions: this.#extensions });
  }

  #showDiagnostics(): void {
    const { doc } = this.#view.state;
    const lints = (this.#diagnostics.get(this.#name) ?? []).map(
      ({ start, end, severity, source, message }): Lint => {
        const from = offsetOf(doc, start);
        const to = end === undefined ? doc.lineAt(from).to : offsetOf(doc, end);
        const isLine = start.column === undefined;
        return {
          from: isLine ? firstOf(doc, from) : from,
          // Something has to be there to be underlined.
          to: Math.max(to, Math.min(from + 1, doc.length)),
          severity,
          source: source === "types" ? "type checker" : "compiler",
          message,
        };
      },
    );
    this.#view.dispatch(setDiagnostics(this.#view.state, lints));
  }

  #all(): Extension {
    const { onChange, onRun, fileNames } = this.#options;
    const run = () => {
      onRun();
      return true;
    };
    return [
      keymap.of([
        { key: "Mod-Enter", run, preventDefault: true },
        { key: "Tab", run: acceptCompletion },
        indentWithTab,
        ...closeBracketsKeymap,
        ...defaultKeymap,
        ...searchKeymap,
        ...historyKeymap,
        ...foldKeymap,
        ...completionKeymap,
        ...lintKeymap,
      ]),
      lineNumbers(),
      foldGutter(),
      lintGutter(),
      codeFolding(),
      highlightSpecialChars(),
      history(),
      drawSelection(),
      EditorState.allowMultipleSelections.of(true),
      EditorState.tabSize.of(4),
      indentOnInput(),
      bracketMatching(),
      closeBrackets(),
      rectangularSelection(),
      highlightActiveLine(),
      highlightActiveLineGutter(),
      highlightSelectionMatches(),
      luauLanguage,
      syntaxHighlighting(highlighting),
      autocompletion({ override: [(context) => suggest(context, fileNames)] }),
      hoverTooltip((view, position, side) => this.#explain(view, position, side)),
      marks,
      appearance,
      EditorView.contentAttributes.of({
        "aria-label": "Script. Tab indents; press Escape and then Tab to leave. F8 goes to the next problem.",
        autocapitalize: "off",
      }),
      EditorView.updateListener.of(({ docChanged, state }) => {
        if (docChanged) {
          onChange(this.#name, state.doc.toString());
        }
      }),
    ];
  }

  /** What is to be said of the name under the pointer. */
  async #explain(view: EditorView, position: number, side: number): Promise<Tooltip | null> {
    const line = view.state.doc.lineAt(position);
    const word = view.state.wordAt(position);
    if (word === null || (word.from === position && side < 0) || (word.to === position && side > 0)) {
      return null;
    }
    const name = view.state.sliceDoc(word.from, word.to);
    const path = pathBefore(line.text.slice(0, word.to - line.from));
    const item =
      path === undefined
        ? API.globals.get(name)
        : membersOf(path.names, view.state.doc.toString())?.get(name);
    const place = { chunkName: this.#name, line: line.number, column: word.from - line.from + 1 };
    const type = item === undefined ? await this.#options.hover?.(place) : undefined;
    if (item === undefined && type === undefined) {
      return null;
    }
    const dom = describe(item?.signature ?? `${name}: ${type}`, item?.documentation ?? "");
    return { pos: word.from, end: word.to, above: true, create: () => ({ dom }) };
  }
}

function offsetOf(doc: Text, { line, column = 1 }: Place): number {
  const { from, to } = doc.line(Math.min(Math.max(line, 1), doc.lines));
  return Math.min(from + column - 1, to);
}

/** The first character of a line that is no space. */
function firstOf(doc: Text, position: number): number {
  const { from, text } = doc.lineAt(position);
  return from + text.length - text.trimStart().length;
}
