// What a script puts out, as lines.

import "./output.css";
import { made } from "../shell/elements.js";
import { keep, kept } from "../storage.js";
import type { Kind, Place } from "../types.js";
import { drawLine, textOf } from "./line.js";
import { type Filter, Lines } from "./lines.js";
import { placeOf } from "./places.js";
import { LinesView } from "./view.js";

export interface OutputOptions {
  /** Called when a link to a place in a script is followed. */
  onPlace(place: Place): void;
  /** Whether there is a chunk of that name, so that only real places become links. */
  isChunk(name: string): boolean;
  /** So many lines are kept; 100,000 by default. The oldest ones go first, and a few of them at a time. */
  most?: number;
}

const MOST = 100_000;
/** How long it says that something was copied, in milliseconds. */
const NOTE_TIME = 4_000;

const KINDS: readonly { readonly name: string; readonly kinds: readonly Kind[] }[] = [
  { name: "All", kinds: ["print", "warn", "error", "system"] },
  { name: "Prints", kinds: ["print"] },
  { name: "Problems", kinds: ["warn", "error"] },
  { name: "Errors", kinds: ["error"] },
  { name: "Playground", kinds: ["system"] },
];

/** Shows what a script puts out. However much that is, the page stays quick: see {@link LinesView}. */
export class OutputPanel {
  readonly #lines: Lines;
  readonly #view: LinesView;
  readonly #search = made("input", "output-search");
  readonly #kinds = made("select", "output-kinds");
  readonly #copy = made("button", "button small", "Copy all");
  readonly #empty = made("p", "output-empty");
  readonly #count = made("p", "output-count");
  readonly #note = made("p", "output-note");
  readonly #toEnd = made("button", "button small", "To the end ↓");
  #filter: Filter;
  #noteTimer: ReturnType<typeof setTimeout> | undefined;
  /** When the run began. */
  #start = performance.now();

  constructor(host: HTMLElement, options: OutputOptions) {
    this.#lines = new Lines(options.most ?? MOST);
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
    const panel = made("div", "output-panel");
    panel.append(this.#bar(), this.#empty, this.#view.element, this.#view.summary, this.#foot());
    host.append(panel);
    this.#showCounts();
  }

  /**
   * Adds a line. It is on screen with the next frame, or, where too many come, with one of the next.
   *
   * @param values as JS values: those with parts can be opened. The text of a print or a warning is these values; that of an error or
   *   of a message comes before them
   * @param after what comes after them, in rows of its own
   */
  write(kind: Kind, text: string, values: readonly unknown[] = [], after = ""): void {
    const time = performance.now() - this.#start;
    this.#lines.push({ kind, text, time, values, after });
    this.#view.requestLater();
  }

  /** A run begins: its lines take the place of those of before, and times count from now on. */
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
    const clear = made("button", "button small", "Clear");
    clear.type = "button";
    clear.addEventListener("click", () => this.clear());
    const bar = made("div", "bar output-bar");
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
      // The button goes away, and the focus must not go with it.
      this.#view.element.focus({ preventScroll: true });
      this.#view.follow();
    });
    const foot = made("div", "output-foot");
    foot.append(this.#count, this.#note, this.#toEnd);
    return foot;
  }

  /** A button for a way of showing the lines, which the browser remembers. */
  #toggle(label: string, name: string, title: string, isOnAtFirst: boolean): HTMLElement {
    const button = made("button", "button small", label);
    button.type = "button";
    button.title = title;
    const set = (isOn: boolean) => {
      button.ariaPressed = String(isOn);
      this.#view.element.classList.toggle(name, isOn);
      this.#view.remeasure();
    };
    set((kept(`output-${name}`) ?? String(isOnAtFirst)) === "true");
    button.addEventListener("click", () => {
      const isOn = button.ariaPressed !== "true";
      keep(`output-${name}`, String(isOn));
      set(isOn);
    });
    return button;
  }

  #setFilter(): void {
    const text = this.#search.value;
    const kinds = KINDS[this.#kinds.selectedIndex]?.kinds ?? [];
    // Quicker than to make a copy of each line in lower case.
    const pattern = new RegExp(text.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&"), "iu");
    const isAll = text === "" && this.#kinds.selectedIndex <= 0;
    this.#filter = isAll ? undefined : (line) => kinds.includes(line.kind) && pattern.test(textOf(line));
    this.#copy.textContent = isAll ? "Copy all" : "Copy these";
    this.#view.filter(this.#filter);
  }

  async #copyAll(): Promise<void> {
    try {
      await navigator.clipboard.writeText(this.#textOf(this.#filter));
      this.#tell("Copied");
    } catch {
      this.#tell("The browser blocks copying. Select the text and press Ctrl+C");
    }
  }

  #tell(text: string): void {
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

/** Names the keys that run a script, on devices with a keyboard. */
function howToRun(): string {
  const isPhone = matchMedia("(pointer: coarse)").matches;
  return isPhone ? "" : ` Press ${/Mac/.test(navigator.platform) ? "⌘" : "Ctrl"}+Enter to run.`;
}

/** Sets a text only where it changes, which is cheaper. */
function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}
