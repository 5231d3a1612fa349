import { forEachDiagnostic } from "@codemirror/lint";
import { type Extension, StateEffect, StateField } from "@codemirror/state";
import { type EditorView, showTooltip, type Tooltip, ViewPlugin } from "@codemirror/view";

const setShown = StateEffect.define<Tooltip | null>();

/** The tooltip of the tapped line. The next change or tap closes it. */
const shown = StateField.define<Tooltip | null>({
  create: () => null,
  update(before, { effects, docChanged }) {
    const effect = effects.find((effect) => effect.is(setShown));
    return effect !== undefined ? effect.value : docChanged ? null : before;
  },
  provide: (field) => showTooltip.from(field),
});

/** Shows the problems of a line when its marker is tapped, because a finger cannot hover as the mouse does. */
export const tappedProblems: Extension = [
  shown,
  ViewPlugin.define((view) => {
    const onClick = (event: MouseEvent) => {
      const marker = (event.target as Element).closest(".cm-lint-marker");
      const isByFinger = (event as PointerEvent).pointerType === "touch";
      if (marker !== null && isByFinger) {
        view.dispatch({ effects: setShown.of(problemsAt(view, event.clientY)) });
      } else if (view.state.field(shown) !== null) {
        view.dispatch({ effects: setShown.of(null) });
      }
    };
    view.dom.addEventListener("click", onClick);
    return { destroy: () => view.dom.removeEventListener("click", onClick) };
  }),
];

/** Returns a tooltip with the problems of the line at a height on the screen. */
function problemsAt(view: EditorView, y: number): Tooltip | null {
  const line = view.lineBlockAtHeight(y - view.documentTop);
  const list = document.createElement("ul");
  list.className = "cm-tooltip-lint";
  forEachDiagnostic(view.state, ({ severity, message, source }, from) => {
    if (from >= line.from && from <= line.to) {
      const item = document.createElement("li");
      item.className = `cm-diagnostic cm-diagnostic-${severity}`;
      item.textContent = source === undefined ? message : `${message} (${source})`;
      list.append(item);
    }
  });
  // Placed beside the marker: the beginning of the line may be scrolled out of view.
  const x =
    (view.dom.querySelector(".cm-gutters")?.getBoundingClientRect().right ?? 0) + view.defaultCharacterWidth;
  const pos = view.posAtCoords({ x, y }, false);
  return list.childElementCount === 0 ? null : { pos, create: () => ({ dom: list }) };
}
