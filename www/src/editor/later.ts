// What Run does not need, and is loaded after what it does: completion, explanations, and the search.

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
import { explanations, type TypeAt } from "./explain.js";
import { definitions } from "./language.js";
import { suggest } from "./suggest.js";

/** What it asks the editor for. */
export interface LaterOptions {
  /** Of the file that is shown. */
  fileName(): string;
  /** Of all tabs. */
  fileNames(): readonly string[];
  readonly typeAt: TypeAt;
}

/** The words of the search, as the rest of the page writes its own. */
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
    // What it proposes is not wanted any more, also when it comes only now.
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
