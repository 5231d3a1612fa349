import { StateEffect, StateField } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView } from "@codemirror/view";

/** Marks lines, by their numbers, in the place of those that were marked before. */
export const markLines = StateEffect.define<readonly number[]>();

const marked = Decoration.line({ class: "cm-marked" });

/** The lines that an error named. What is edited may not be wrong any more, so an edit takes the marks away. */
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
