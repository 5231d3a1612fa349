import { made } from "../shell/elements.js";
import { type Parts, partsOf, preview } from "./values.js";

/** How many parts are shown at once; more are in groups. */
const AT_ONCE = 100;

/** A value that a part of it contains, and what is above that. */
interface Ancestor {
  readonly value: unknown;
  readonly above: Ancestor | undefined;
}

/**
 * A value that can be opened. What is inside is made when it is.
 *
 * @param onToggle called when the reader opens or closes something
 */
export function treeOf(value: unknown, onToggle: () => void): HTMLElement {
  const node = made("span", "output-value");
  fill(node, undefined, value, undefined, onToggle);
  return node;
}

/** Puts a key and a value into an element: as a text, or as a button that opens it. */
function fill(
  element: HTMLElement,
  key: string | undefined,
  value: unknown,
  above: Ancestor | undefined,
  onToggle: () => void,
): void {
  const name = key === undefined ? [] : [made("span", "output-key", key), " = "];
  const levels = levelsUp(value, above);
  if (levels > 0) {
    const where = levels === 1 ? "the table that this is in" : `the table ${levels} levels up`;
    element.append(...name, made("span", "output-cycle", `↺ ${where}`));
    return;
  }
  const parts = partsOf(value);
  if (parts === undefined || parts.count + parts.missing === 0) {
    element.append(...name, made("span", `output-${typeof value}`, preview(value)));
    return;
  }
  const inside = { value, above };
  disclose(
    element,
    [...name, preview(value)],
    () => {
      const list = partsIn(parts, 0, parts.count, inside, onToggle);
      if (parts.missing > 0) {
        const text = `${parts.missing.toLocaleString("en")} more are not shown: print a part of it`;
        list.append(made("li", "output-missing", text));
      }
      return list;
    },
    onToggle,
  );
}

/** A button that shows and hides what is inside. */
function disclose(
  element: HTMLElement,
  label: readonly (Node | string)[],
  open: () => HTMLElement,
  onToggle: () => void,
): void {
  const button = made("button", "output-node");
  button.type = "button";
  button.ariaExpanded = "false";
  button.append(...label);
  let list: HTMLElement | undefined;
  button.addEventListener("click", () => {
    if (list === undefined) {
      list = open();
      element.append(list);
    } else {
      // Not kept: what is open in it would be large again at once.
      list.remove();
      list = undefined;
    }
    button.ariaExpanded = String(list !== undefined);
    onToggle();
  });
  element.append(button);
}

/** A list of parts; in groups, and groups of groups, where they are many. */
function partsIn(
  parts: Parts,
  start: number,
  end: number,
  above: Ancestor,
  onToggle: () => void,
): HTMLElement {
  const list = made("ul", "output-parts");
  const count = end - start;
  if (count <= AT_ONCE) {
    for (const { key, value } of parts.slice(start, end)) {
      const item = made("li");
      fill(item, key, value, above, onToggle);
      list.append(item);
    }
    return list;
  }
  const size = AT_ONCE ** Math.ceil(Math.log(count) / Math.log(AT_ONCE) - 1 - 1e-9);
  for (let from = start; from < end; from += size) {
    const to = Math.min(from + size, end);
    const item = made("li");
    disclose(item, [parts.range(from, to)], () => partsIn(parts, from, to, above, onToggle), onToggle);
    list.append(item);
  }
  return list;
}

/** How far above a value is itself; 0 if it is not. */
function levelsUp(value: unknown, above: Ancestor | undefined): number {
  if (typeof value !== "object" || value === null) {
    return 0;
  }
  let levels = 1;
  for (let ancestor = above; ancestor !== undefined; ancestor = ancestor.above) {
    if (ancestor.value === value) {
      return levels;
    }
    levels += 1;
  }
  return 0;
}
