import { loadItem, saveItem } from "../storage.js";
import { element } from "./elements.js";

/** The parts of the page. A phone shows one at a time; wider screens show the script beside one of the others. */
export type Part = "script" | "output" | "sockets";

/** The width of the script, in percent of the page: the initial width, the change per key press, and the limits. */
const DEFAULT_PERCENT = 55;
const STEP_PERCENT = 2;
const MIN_PERCENT = 20;
const MAX_PERCENT = 80;

/** Shows the parts that the user selects. */
export class Layout {
  readonly #parts = document.querySelector<HTMLElement>("main.parts") as HTMLElement;
  readonly #divider = element("divider", HTMLElement);
  readonly #counts = new Map<Part, number>();
  #width = DEFAULT_PERCENT;

  constructor() {
    for (const button of this.#buttons()) {
      button.addEventListener("click", () => this.show(button.dataset.show as Part));
    }
    const tabs = [element("output-tab", HTMLElement), element("sockets-tab", HTMLElement)];
    for (const [index, tab] of tabs.entries()) {
      tab.addEventListener("keydown", (event) => {
        if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
          const other = tabs[1 - index];
          other?.click();
          other?.focus();
        }
      });
    }
    this.#installDivider();
    this.show("script");
  }

  /** Shows a part. On wide screens the script stays visible beside it. */
  show(part: Part): void {
    this.#parts.dataset.shown = part;
    if (part !== "script") {
      this.#parts.dataset.side = part;
    }
    const side = this.#parts.dataset.side ?? "output";
    for (const button of this.#buttons()) {
      const shown = button.dataset.show;
      if (shown === part) {
        this.#setErrorMark(button, false);
      }
      if (button.role === "tab") {
        button.ariaSelected = String(shown === side);
        button.tabIndex = shown === side ? 0 : -1;
      } else {
        button.ariaPressed = String(shown === part);
      }
    }
  }

  /** Marks the buttons of a part that has an error, if the part is hidden. */
  markError(part: Part): void {
    const { shown, side = "output" } = this.#parts.dataset;
    const isWide = !matchMedia("(max-width: 720px)").matches;
    if (part !== shown && !(isWide && part === side)) {
      for (const button of this.#buttons()) {
        if (button.dataset.show === part) {
          this.#setErrorMark(button, true);
        }
      }
    }
  }

  #setErrorMark(button: HTMLElement, hasError: boolean): void {
    button.toggleAttribute("data-has-error", hasError);
    button.ariaDescription = hasError ? "There is an error" : null;
  }

  /** Shows a count on the buttons of a part. */
  setCount(part: Part, count: number): void {
    if (this.#counts.get(part) === count) {
      return;
    }
    this.#counts.set(part, count);
    for (const button of this.#buttons()) {
      if (button.dataset.show === part) {
        const name = button.textContent?.replace(/ \(.*/, "") ?? "";
        button.textContent = count === 0 ? name : `${name} (${count.toLocaleString("en")})`;
      }
    }
  }

  #buttons(): NodeListOf<HTMLElement> {
    return document.querySelectorAll<HTMLElement>("[data-show]");
  }

  #installDivider(): void {
    const divider = this.#divider;
    this.#resize(Number(loadItem("width") ?? this.#width));
    divider.addEventListener("pointerdown", (event) => {
      divider.setPointerCapture(event.pointerId);
      event.preventDefault();
    });
    divider.addEventListener("pointermove", (event) => {
      if (divider.hasPointerCapture(event.pointerId)) {
        this.#resize((event.clientX / window.innerWidth) * 100);
      }
    });
    divider.addEventListener("pointerup", () => saveItem("width", String(this.#width)));
    divider.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -STEP_PERCENT, ArrowRight: STEP_PERCENT }[event.key];
      if (step !== undefined) {
        this.#resize(this.#width + step);
        saveItem("width", String(this.#width));
        event.preventDefault();
      }
    });
  }

  #resize(width: number): void {
    const percent = Number.isFinite(width) ? width : DEFAULT_PERCENT;
    this.#width = Math.round(Math.min(MAX_PERCENT, Math.max(MIN_PERCENT, percent)));
    this.#divider.ariaValueNow = String(this.#width);
    this.#divider.ariaValueMin = String(MIN_PERCENT);
    this.#divider.ariaValueMax = String(MAX_PERCENT);
    this.#parts.style.setProperty("--script-width", `${this.#width}%`);
  }
}
