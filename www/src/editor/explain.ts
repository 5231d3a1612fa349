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

/** The type of what stands at an offset, from the checker. */
export type TypeAt = (view: EditorView, offset: number) => Promise<string | undefined>;

/** How long the checker has to answer, in milliseconds: it may have to be loaded yet. */
const PATIENCE = 600;

const setShown = StateEffect.define<Tooltip | null>();

/** What was asked for with the keyboard; it goes when something else is done. */
const shown = StateField.define<Tooltip | null>({
  create: () => null,
  update(before, { effects, docChanged, selection }) {
    const effect = effects.find((effect) => effect.is(setShown));
    return effect !== undefined ? effect.value : docChanged || selection !== undefined ? null : before;
  },
  provide: (field) => showTooltip.from(field),
});

/** Says what a name means: under the pointer, and with the keyboard at the cursor. */
export function explanations(definitions: Definitions, typeAt: TypeAt): Extension {
  const explain = async (view: EditorView, offset: number): Promise<Tooltip | null> => {
    const source = view.state.doc.toString();
    const found = explanationAt(source, offset, definitions);
    if (found === undefined) {
      return null;
    }
    const { from, to, documentation } = found;
    const name = source.slice(from, to);
    // The checker knows a variable better; what is documented needs no more.
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
    void explain(view, view.state.selection.main.head).then((tooltip) => {
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
    hoverTooltip((view, offset) => explain(view, offset)),
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
