// Parts of the editor that Run does not need, loaded after the parts that it does: completion, explanations and search.

import {
  acceptCompletion,
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  closeCompletion,
} from "@codemirror/autocomplete";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { EditorState, type Extension, Prec } from "@codemirror/state";
import { type EditorView, keymap } from "@codemirror/view";
import { explanations, type TypeAt } from "./hover.js";
import { definitions } from "./language.js";
import { suggest } from "./suggest.js";

/** The parts of the editor that these extensions ask for. */
export interface LaterOptions {
  /** Returns the name of the shown file. */
  fileName(): string;
  /** Returns the names of all tabs. */
  fileNames(): readonly string[];
  readonly typeAt: TypeAt;
}

/** Labels of the search panel, in the style of the rest of the page. */
const PHRASES = {
  next: "Next",
  previous: "Previous",
  all: "All",
  "match case": "Match case",
  regexp: "Pattern",
  "by word": "Whole words",
  replace: "Replace",
  "replace all": "Replace all",
};

export function later({ fileName, fileNames, typeAt }: LaterOptions): Extension {
  const closeBeforeRun = (view: EditorView) => {
    // Its proposals are no longer wanted, even if they arrive only now.
    closeCompletion(view);
    return false;
  };
  return [
    Prec.highest(keymap.of([{ key: "Mod-Enter", run: closeBeforeRun }])),
    Prec.high(keymap.of([{ key: "Tab", run: acceptCompletion }, ...closeBracketsKeymap])),
    keymap.of(searchKeymap),
    closeBrackets(),
    highlightSelectionMatches(),
    EditorState.phrases.of(PHRASES),
    explanations(definitions, typeAt),
    autocompletion({
      override: [
        (context) => suggest(context, { definitions, fileName: fileName(), fileNames: fileNames() }),
      ],
    }),
  ];
}
