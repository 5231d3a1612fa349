import { createElement } from "../shell/elements.js";
import { type Parts, partsOf, preview } from "./values.js";

/** The most parts shown at once. More parts are split into groups. */
const AT_ONCE = 100;

/** A value that contains the current one, and the value above it. */
interface Ancestor {
  readonly value: unknown;
  readonly above: Ancestor | undefined;
}

/**
 * Creates a value that can be expanded. Its content is created on demand.
 *
 * @param onToggle called when the user expands or collapses something
 */
export function treeOf(value: unknown, onToggle: () => void): HTMLElement {
  const node = createElement("span", "output-value");
  fill(node, undefined, value, undefined, onToggle);
  return node;
}

/** Adds a key and a value to an element, as text or as a button that expands the value. */
function fill(
  element: HTMLElement,
  key: string | undefined,
  value: unknown,
  above: Ancestor | undefined,
  onToggle: () => void,
): void {
  const name = key === undefined ? [] : [createElement("span", "output-key", key), " = "];
  const levels = levelsUp(value, above);
  if (levels > 0) {
    const where = levels === 1 ? "the enclosing table" : `the table ${levels} levels up`;
    element.append(...name, createElement("span", "output-cycle", `↺ ${where}`));
    return;
  }
  const parts = partsOf(value);
  if (parts === undefined || parts.count + parts.missing === 0) {
    element.append(...name, createElement("span", `output-${typeof value}`, preview(value)));
    return;
  }
  const inside = { value, above };
  disclose(
    element,
    [...name, preview(value)],
    () => {
      const list = partsIn(parts, 0, parts.count, inside, onToggle);
      if (parts.missing > 0) {
        const text = `${parts.missing.toLocaleString("en")} more not shown. Print part of the table to see them.`;
        list.append(createElement("li", "output-missing", text));
      }
      return list;
    },
    onToggle,
  );
}

/** Adds a button that shows and hides the content. */
function disclose(
  element: HTMLElement,
  label: readonly (Node | string)[],
  open: () => HTMLElement,
  onToggle: () => void,
): void {
  const button = createElement("button", "output-node");
  button.type = "button";
  button.ariaExpanded = "false";
  button.append(...label);
  let list: HTMLElement | undefined;
  button.addEventListener("click", () => {
    if (list === undefined) {
      list = open();
      element.append(list);
    } else {
      // The content is not kept, because it may be large.
      list.remove();
      list = undefined;
    }
    button.ariaExpanded = String(list !== undefined);
    onToggle();
  });
  element.append(button);
}

/** Creates a list of parts. Long lists are divided into nested groups. */
function partsIn(
  parts: Parts,
  start: number,
  end: number,
  above: Ancestor,
  onToggle: () => void,
): HTMLElement {
  const list = createElement("ul", "output-parts");
  const count = end - start;
  if (count <= AT_ONCE) {
    for (const { key, value } of parts.slice(start, end)) {
      const item = createElement("li");
      fill(item, key, value, above, onToggle);
      list.append(item);
    }
    return list;
  }
  const size = AT_ONCE ** Math.ceil(Math.log(count) / Math.log(AT_ONCE) - 1 - 1e-9);
  for (let from = start; from < end; from += size) {
    const to = Math.min(from + size, end);
    const item = createElement("li");
    disclose(item, [parts.range(from, to)], () => partsIn(parts, from, to, above, onToggle), onToggle);
    list.append(item);
  }
  return list;
}

/** Returns how many levels above a value the same value occurs; 0 if it does not. */
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
