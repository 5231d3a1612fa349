import { made } from "../shell/elements.js";
import { countText, hexText, sizeText, type View, viewsOf, viewText } from "./contents.js";
import type { Frame } from "./recorder.js";
import { timeText } from "./timeline.js";

/** How much is shown at first, and how many times as much each time more is asked for. */
const FIRST_CHARACTERS = 32_768;
const FIRST_BYTES = 4_096;
const MORE = 8;
/** Where fewer pixels are, a line of a dump has half as many bytes. */
const WIDE = 560;

const NAMES: Readonly<Record<View, string>> = { json: "JSON", text: "Text", hex: "Hex" };

/** A frame whole. */
export class FrameDetail {
  readonly element = made("section", "sockets-detail");
  readonly #title = made("h3");
  readonly #views = made("select");
  readonly #content = made("pre");
  readonly #more = button("Show more");
  #frame: Frame | undefined;
  #times = 1;

  /** @param tell shows what became of it */
  constructor(onClose: () => void, tell: (text: string) => void) {
    this.element.ariaLabel = "Frame";
    this.element.hidden = true;
    this.#views.ariaLabel = "Shown as";
    this.#content.tabIndex = 0;
    this.#content.role = "region";
    this.#content.ariaLabel = "Content of the frame";
    const copy = button("Copy");
    const close = button("✕");
    close.ariaLabel = "Close the frame";
    const bar = made("div", "bar");
    bar.append(this.#title, this.#views, copy, close);
    this.element.append(bar, this.#content, this.#more);
    this.#views.addEventListener("change", () => {
      this.#times = 1;
      this.#render();
    });
    this.#more.addEventListener("click", () => {
      this.#times *= MORE;
      this.#render();
      // The button may be gone now.
      this.#content.focus();
    });
    copy.addEventListener("click", () => void this.#copy(tell));
    close.addEventListener("click", onClose);
  }

  show(frame: Frame | undefined): void {
    if (frame === this.#frame) {
      return;
    }
    this.#frame = frame;
    this.element.hidden = frame === undefined;
    if (frame === undefined) {
      return;
    }
    const { kind, data, size, time, connection } = frame;
    const what = { sent: "Sent", received: "Received", state: "Connection" }[kind];
    const type =
      kind === "state" ? "" : ` · ${sizeText(size)} · ${typeof data === "string" ? "text" : "binary"}`;
    this.#title.textContent = `${what} at ${timeText(time - connection.began)}${type}`;
    this.#views.replaceChildren(...viewsOf(data).map((view) => new Option(NAMES[view], view)));
    this.#times = 1;
    this.#render();
    this.#content.scrollTo(0, 0);
  }

  #render(): void {
    if (this.#frame === undefined) {
      return;
    }
    const view = this.#views.value as View;
    const most = (view === "hex" ? FIRST_BYTES : FIRST_CHARACTERS) * this.#times;
    const perLine = this.element.clientWidth < WIDE ? 8 : 16;
    const { text, left } = viewText(this.#frame.data, view, most, perLine);
    this.#content.textContent = text;
    this.#content.classList.toggle("dump", view === "hex");
    this.#more.hidden = left === 0;
    this.#more.textContent = `Show more: ${countText(left)} ${view === "hex" ? "bytes" : "characters"} left`;
  }

  async #copy(tell: (text: string) => void): Promise<void> {
    const data = this.#frame?.data ?? "";
    try {
      await navigator.clipboard.writeText(typeof data === "string" ? data : hexText(data));
      tell("The frame is copied.");
    } catch {
      tell("The browser does not allow copying here.");
    }
  }
}

/** A button of a bar. */
export function button(text: string): HTMLButtonElement {
  const element = made("button", "button small", text);
  element.type = "button";
  return element;
}
