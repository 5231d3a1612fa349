import { createElement, element } from "./elements.js";

/** Callbacks for the user's actions on tabs. */
export interface TabsOptions {
  onSelect(name: string): void;
  onAdd(): void;
  onRename(name: string): void;
  onRemove(name: string): void;
}

/** The files, as tabs above the editor. Run starts the first one, which cannot be removed. */
export class Tabs {
  readonly #list = element("tabs", HTMLElement);
  readonly #options: TabsOptions;

  constructor(options: TabsOptions) {
    this.#options = options;
    element("add", HTMLButtonElement).addEventListener("click", () => options.onAdd());
    // Also called when the tabs become visible again, since a phone does not always show them.
    new ResizeObserver(() => this.#reveal()).observe(this.#list);
    this.#list.addEventListener("keydown", (event) => this.#onKey(event));
  }

  /** Replaces the tabs. */
  show(names: readonly string[], selected: string): void {
    const hasFocus = this.#list.contains(document.activeElement);
    this.#list.replaceChildren(
      ...names.map((name, index) => this.#tab(name, name === selected, index === 0)),
    );
    if (hasFocus) {
      this.#selected()?.focus();
    }
    this.#reveal();
  }

  /** Scrolls the selected tab into view. */
  #reveal(): void {
    this.#selected()?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  #selected(): HTMLElement | null {
    return this.#list.querySelector('[aria-selected="true"]');
  }

  #tab(name: string, isSelected: boolean, isMain: boolean): HTMLElement {
    const tab = createElement("button", "file");
    tab.type = "button";
    tab.role = "tab";
    tab.dataset.name = name;
    tab.ariaSelected = String(isSelected);
    tab.setAttribute("aria-controls", "editor");
    tab.tabIndex = isSelected ? 0 : -1;
    // The title has the whole name, which may be cut off in the tab.
    tab.title = `${name}.luau: ${isMain ? "Run starts this file. Press F2 to rename it" : "F2 or double-click to rename, Delete to delete"}`;
    tab.append(createElement("span", "name", `${name}.luau`));
    tab.addEventListener("click", () => this.#options.onSelect(name));
    tab.addEventListener("dblclick", () => this.#options.onRename(name));
    if (!isMain) {
      // For the mouse only, since a tab cannot contain focusable elements. Keyboard users press Delete.
      const remove = createElement("span", "remove", "×");
      remove.ariaHidden = "true";
      remove.title = `Remove ${name}.luau`;
      remove.addEventListener("click", (event) => {
        event.stopPropagation();
        this.#options.onRemove(name);
      });
      tab.append(remove);
    }
    return tab;
  }

  #onKey(event: KeyboardEvent): void {
    const tabs = [...this.#list.querySelectorAll<HTMLElement>('[role="tab"]')];
    const index = tabs.indexOf(document.activeElement as HTMLElement);
    const name = tabs[index]?.dataset.name;
    if (name === undefined) {
      return;
    }
    const target = {
      ArrowLeft: tabs.at(index - 1),
      ArrowRight: tabs[(index + 1) % tabs.length],
      Home: tabs[0],
      End: tabs.at(-1),
    }[event.key];
    if (target !== undefined) {
      event.preventDefault();
      this.#options.onSelect(target.dataset.name ?? name);
    } else if (event.key === "F2") {
      this.#options.onRename(name);
    } else if (event.key === "Delete" && index > 0) {
      this.#options.onRemove(name);
    }
  }
}
