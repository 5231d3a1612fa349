import { StateEffect, StateField } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView } from "@codemirror/view";

/** Marks lines by their numbers, and removes earlier marks. */
export const markLines = StateEffect.define<readonly number[]>();

const marked = Decoration.line({ class: "cm-marked" });

/** The lines that an error named. An edit removes the marks, because the edited code may be right now. */
export const marks = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(before, { effects, docChanged, state }) {
    const effect = effects.find((effect) => effect.is(markLines));
    if (effect === undefined) {
      return docChanged ? Decoration.none : before;
    }
    const lines = [...new Set(effect.value)].filter((line) => line >= 1 && line <= state.doc.lines);
    return Decoration.set(lines.sort((a, b) => a - b).map((line) => marked.range(state.doc.line(line).from)));
  },
  provide: (field) => EditorView.decorations.from(field),
});
