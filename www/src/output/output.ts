// The output panel: shows a script's output as lines.

import "./output.css";
import { createElement, setText } from "../shell/elements.js";
import { loadItem, saveItem } from "../storage.js";
import type { Kind, Place } from "../types.js";
import { drawLine, textOf } from "./line.js";
import { type Filter, Lines } from "./lines.js";
import { placeOf } from "./places.js";
import { LinesView } from "./view.js";

export interface OutputOptions {
  /** Called when the user follows a link to a place in a script. */
  onPlace(place: Place): void;
  /** Returns true if a chunk with this name exists, so that only real places become links. */
  isChunk(name: string): boolean;
  /** The most lines to keep; 100,000 by default. The oldest are dropped first, a few at a time. */
  most?: number;
}

const MAX_LINES = 100_000;
/** The time a notice stays visible, in milliseconds. */
const NOTE_TIME = 4_000;

const KINDS: readonly { readonly name: string; readonly kinds: readonly Kind[] }[] = [
  { name: "All", kinds: ["print", "warn", "error", "system"] },
  { name: "Prints", kinds: ["print"] },
  { name: "Problems", kinds: ["warn", "error"] },
  { name: "Errors", kinds: ["error"] },
  { name: "Playground", kinds: ["system"] },
];

/** Shows the output of a script. The page stays fast no matter how much there is: see {@link LinesView}. */
export class OutputPanel {
  readonly #lines: Lines;
  readonly #view: LinesView;
  readonly #search = createElement("input", "output-search");
  readonly #kinds = createElement("select", "output-kinds");
  readonly #copy = createElement("button", "button small", "Copy all");
  readonly #empty = createElement("p", "output-empty");
  readonly #count = createElement("p", "output-count");
  readonly #note = createElement("p", "output-note");
  readonly #toEnd = createElement("button", "button small", "Jump to end ↓");
  #filter: Filter;
  #noteTimer: ReturnType<typeof setTimeout> | undefined;
  /** When the run began. */
  #start = performance.now();

  constructor(host: HTMLElement, options: OutputOptions) {
    this.#lines = new Lines(options.most ?? MAX_LINES);
    this.#view = new LinesView(this.#lines, {
      draw: (line) => drawLine(line, options.isChunk),
      onDrawn: () => this.#showCounts(),
    });
    this.#view.element.addEventListener("click", (event) => {
      const place = placeOf(event.target);
      if (place !== undefined) {
        event.preventDefault();
        options.onPlace(place);
      }
    });
    const panel = createElement("div", "output-panel");
    panel.append(this.#bar(), this.#empty, this.#view.element, this.#view.summary, this.#foot());
    host.append(panel);
    this.#showCounts();
  }

  /**
   * Adds a line. It appears in the next animation frame or, if lines arrive too fast, in a later one.
   *
   * @param values the values, as JS values; those with parts can be expanded. For prints and warnings `text` is these
   * values; for errors and system messages it precedes them
   * @param after text after the values, in rows of its own
   */
  write(kind: Kind, text: string, values: readonly unknown[] = [], after = ""): void {
    const time = performance.now() - this.#start;
    this.#lines.push({ kind, text, time, values, after });
    this.#view.requestLater();
  }

  /** Starts a new run: removes the previous lines and resets the clock. */
  begin(): void {
    this.#start = performance.now();
    this.clear();
  }

  /** Removes all lines. */
  clear(): void {
    this.#lines.clear();
    this.#view.clear();
  }

  #textOf(filter: Filter): string {
    return this.#lines.blocks
      .flatMap(({ lines }) => (filter === undefined ? lines : lines.filter(filter)))
      .map(textOf)
      .join("\n");
  }

  #bar(): HTMLElement {
    const search = this.#search;
    search.type = "search";
    search.placeholder = "Filter";
    search.ariaLabel = "Filter the output by text";
    search.autocomplete = "off";
    search.spellcheck = false;
    search.addEventListener("input", () => this.#setFilter());
    this.#kinds.ariaLabel = "Filter the output by kind";
    this.#kinds.append(...KINDS.map(({ name }) => new Option(name)));
    this.#kinds.addEventListener("change", () => this.#setFilter());
    this.#copy.type = "button";
    this.#copy.addEventListener("click", () => void this.#copyAll());
    const clear = createElement("button", "button small", "Clear");
    clear.type = "button";
    clear.addEventListener("click", () => this.clear());
    const bar = createElement("div", "bar output-bar");
    bar.append(
      search,
      this.#kinds,
      this.#toggle("Wrap", "wrap", "Wrap long lines", true),
      this.#toggle("Times", "times", "Show the time of each line, in seconds since the run started", false),
      this.#copy,
      clear,
    );
    return bar;
  }

  #foot(): HTMLElement {
    this.#note.role = "status";
    this.#toEnd.type = "button";
    this.#toEnd.addEventListener("click", () => {
      // Moves the focus, because the button disappears.
      this.#view.element.focus({ preventScroll: true });
      this.#view.follow();
    });
    const foot = createElement("div", "output-foot");
    foot.append(this.#count, this.#note, this.#toEnd);
    return foot;
  }

  /** Creates a button that toggles a display option. The browser remembers the option. */
  #toggle(label: string, name: string, title: string, isOnAtFirst: boolean): HTMLElement {
    const button = createElement("button", "button small", label);
    button.type = "button";
    button.title = title;
    const set = (isOn: boolean) => {
      button.ariaPressed = String(isOn);
      this.#view.element.classList.toggle(name, isOn);
      this.#view.remeasure();
    };
    set((loadItem(`output-${name}`) ?? String(isOnAtFirst)) === "true");
    button.addEventListener("click", () => {
      const isOn = button.ariaPressed !== "true";
      saveItem(`output-${name}`, String(isOn));
      set(isOn);
    });
    return button;
  }

  #setFilter(): void {
    const text = this.#search.value;
    const kinds = KINDS[this.#kinds.selectedIndex]?.kinds ?? [];
    // Faster than making a lower-case copy of each line.
    const pattern = new RegExp(text.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&"), "iu");
    const isAll = text === "" && this.#kinds.selectedIndex <= 0;
    this.#filter = isAll ? undefined : (line) => kinds.includes(line.kind) && pattern.test(textOf(line));
    this.#copy.textContent = isAll ? "Copy all" : "Copy these";
    this.#view.filter(this.#filter);
  }

  async #copyAll(): Promise<void> {
    try {
      await navigator.clipboard.writeText(this.#textOf(this.#filter));
      this.#announce("Copied");
    } catch {
      this.#announce("The browser blocks copying. Select the text and press Ctrl+C");
    }
  }

  #announce(text: string): void {
    this.#note.textContent = text;
    clearTimeout(this.#noteTimer);
    this.#noteTimer = setTimeout(() => {
      this.#note.textContent = "";
    }, NOTE_TIME);
  }

  #showCounts(): void {
    const { count, dropped } = this.#lines;
    const number = (lines: number) => `${lines.toLocaleString("en")} ${lines === 1 ? "line" : "lines"}`;
    const passed = this.#filter === undefined ? "" : `${this.#view.shown.toLocaleString("en")} of `;
    const gone =
      dropped === 0
        ? ""
        : `, ${dropped.toLocaleString("en")} earlier ${dropped === 1 ? "line was" : "lines were"} dropped`;
    setText(this.#count, passed + number(count) + gone);
    const isNothing = count === 0 || (this.#filter !== undefined && this.#view.shown === 0);
    setText(this.#empty, count === 0 ? `Output appears here.${howToRun()}` : "No lines match the filter.");
    this.#empty.hidden = !isNothing;
    this.#toEnd.hidden = this.#view.isAtEnd;
  }
}

/** Returns a hint about the keys that run a script, on devices with a keyboard. */
function howToRun(): string {
  const isPhone = matchMedia("(pointer: coarse)").matches;
  return isPhone ? "" : ` Press ${/Mac/.test(navigator.platform) ? "⌘" : "Ctrl"}+Enter to run.`;
}
