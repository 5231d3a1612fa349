import { keep, kept } from "../storage.js";
import { element } from "./elements.js";

/** The parts of the page: on a phone one is shown at a time, else the script beside one of the others. */
export type Part = "script" | "output" | "sockets";

/** How much wider the script gets with a key, in percent of the page. */
const STEP = 2;
const LEAST = 20;
const MOST = 80;

/** Shows the parts, as the visitor chooses. */
export class Layout {
  readonly #parts = document.querySelector<HTMLElement>("main.parts") as HTMLElement;
  readonly #divider = element("divider", HTMLElement);
  readonly #counts = new Map<Part, number>();
  #width = 55;

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

  /** Brings a part to the front; the script is beside the others where there is room. */
  show(part: Part): void {
    this.#parts.dataset.shown = part;
    if (part !== "script") {
      this.#parts.dataset.side = part;
    }
    const side = this.#parts.dataset.side ?? "output";
    for (const button of this.#buttons()) {
      const shown = button.dataset.show;
      if (shown === part) {
        this.#setNews(button, false);
      }
      if (button.role === "tab") {
        button.ariaSelected = String(shown === side);
        button.tabIndex = shown === side ? 0 : -1;
      } else {
        button.ariaPressed = String(shown === part);
      }
    }
  }

  /** Marks the buttons of a part that is not shown: an error has come there. */
  tellError(part: Part): void {
    const { shown, side = "output" } = this.#parts.dataset;
    const isWide = !matchMedia("(max-width: 720px)").matches;
    if (part !== shown && !(isWide && part === side)) {
      for (const button of this.#buttons()) {
        if (button.dataset.show === part) {
          this.#setNews(button, true);
        }
      }
    }
  }

  #setNews(button: HTMLElement, isThere: boolean): void {
    button.toggleAttribute("data-news", isThere);
    button.ariaDescription = isThere ? "There is an error" : null;
  }

  /** Writes on the buttons how many there are of something. */
  count(part: Part, count: number): void {
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
    this.#resize(Number(kept("width") ?? this.#width));
    divider.addEventListener("pointerdown", (event) => {
      divider.setPointerCapture(event.pointerId);
      event.preventDefault();
    });
    divider.addEventListener("pointermove", (event) => {
      if (divider.hasPointerCapture(event.pointerId)) {
        this.#resize((event.clientX / window.innerWidth) * 100);
      }
    });
    divider.addEventListener("pointerup", () => keep("width", String(this.#width)));
    divider.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -STEP, ArrowRight: STEP }[event.key];
      if (step !== undefined) {
        this.#resize(this.#width + step);
        keep("width", String(this.#width));
        event.preventDefault();
      }
    });
  }

  #resize(width: number): void {
    this.#width = Math.round(Math.min(MOST, Math.max(LEAST, Number.isFinite(width) ? width : 55)));
    this.#divider.ariaValueNow = String(this.#width);
    this.#divider.ariaValueMin = String(LEAST);
    this.#divider.ariaValueMax = String(MOST);
    this.#parts.style.setProperty("--script-width", `${this.#width}%`);
  }
}
