import { type Extension, StateEffect, StateField } from "@codemirror/state";
import {
  type Command,
  type EditorView,
  hoverTooltip,
  keymap,
  showTooltip,
  type Tooltip,
} from "@codemirror/view";
import type { Definitions } from "./definitions.js";
import { description } from "./description.js";
import { explanationAt } from "./explanation.js";

/** Returns the type of the expression at an offset, from the checker. */
export type TypeAt = (view: EditorView, offset: number) => Promise<string | undefined>;

/** The longest wait for the checker's answer, in milliseconds. The checker may still be loading. */
const PATIENCE = 600;

const setShown = StateEffect.define<Tooltip | null>();

/** The tooltip requested with the keyboard. Any edit or cursor movement closes it. */
const shown = StateField.define<Tooltip | null>({
  create: () => null,
  update(before, { effects, docChanged, selection }) {
    const effect = effects.find((effect) => effect.is(setShown));
    return effect !== undefined ? effect.value : docChanged || selection !== undefined ? null : before;
  },
  provide: (field) => showTooltip.from(field),
});

/** Explains the name under the pointer, and on a key press the name at the cursor. */
export function explanations(definitions: Definitions, typeAt: TypeAt): Extension {
  const tooltipAt = async (view: EditorView, offset: number): Promise<Tooltip | null> => {
    const source = view.state.doc.toString();
    const found = explanationAt(source, offset, definitions);
    if (found === undefined) {
      return null;
    }
    const { from, to, documentation } = found;
    const name = source.slice(from, to);
    // The checker knows variables better. Documented names need no more.
    const type = documentation === "" ? await inTime(typeAt(view, from)) : undefined;
    const signature = type === undefined ? found.signature : `${name}: ${type}`;
    if (signature === undefined) {
      return null;
    }
    return {
      pos: from,
      end: to,
      above: true,
      create: () => ({ dom: description(signature, documentation) }),
    };
  };
  const show: Command = (view) => {
    const { doc } = view.state;
    void tooltipAt(view, view.state.selection.main.head).then((tooltip) => {
      if (view.state.doc === doc) {
        view.dispatch({ effects: setShown.of(tooltip) });
      }
    });
    return true;
  };
  const hide: Command = (view) => {
    if (view.state.field(shown) === null) {
      return false;
    }
    view.dispatch({ effects: setShown.of(null) });
    return true;
  };
  return [
    hoverTooltip((view, offset) => tooltipAt(view, offset)),
    shown,
    keymap.of([
      { key: "Mod-k Mod-i", run: show, preventDefault: true },
      { key: "Escape", run: hide },
    ]),
  ];
}

async function inTime(type: Promise<string | undefined>): Promise<string | undefined> {
  const late = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), PATIENCE));
  return Promise.race([type.catch(() => undefined), late]);
}
