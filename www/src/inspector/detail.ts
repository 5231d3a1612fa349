import { hexText } from "../hex.js";
import { createElement } from "../shell/elements.js";
import { Content, countText, sizeText, type View } from "./contents.js";
import { save } from "./export.js";
import type { Frame } from "./recorder.js";
import { timeText } from "./timeline.js";

/** The amount that is shown at first, and the factor by which each "Show more" increases it. */
const FIRST_CHARACTERS = 32_768;
const FIRST_BYTES = 4_096;
const MORE = 8;
/** The limit of that factor. Layout of more text would take the browser seconds. */
const MAX_TIMES = 8;
/** The most characters that are copied, because the clipboard takes them all at once. */
const MAX_COPIED = 4_000_000;
/** The width in pixels below which a dump has half as many bytes per line. */
const WIDE = 560;

const NAMES: Readonly<Record<View, string>> = { json: "JSON", text: "Text", hex: "Hex" };

/** Shows a whole timeline entry. */
export class FrameDetail {
  readonly element = createElement("section", "sockets-detail");
  readonly #title = createElement("h3");
  readonly #views = createElement("select");
  readonly #content = createElement("pre");
  readonly #more = button("Show more");
  readonly #rest = createElement("p", "sockets-note");
  readonly #note = createElement("p", "sockets-note");
  #frame: Frame | undefined;
  #shown = new Content("");
  #times = 1;

  constructor(onClose: () => void) {
    this.element.ariaLabel = "Message details";
    this.element.hidden = true;
    this.#views.ariaLabel = "Format";
    this.#content.tabIndex = 0;
    this.#content.role = "region";
    this.#content.ariaLabel = "Message content";
    const copy = button("Copy");
    const download = button("Save");
    download.title = "As a file";
    const close = button("✕");
    close.ariaLabel = "Close message";
    close.classList.add("close");
    const bar = createElement("div", "bar");
    bar.append(this.#title, this.#views, copy, download, close);
    this.#note.role = "status";
    this.element.append(bar, this.#content, this.#more, this.#rest, this.#note);
    this.#views.addEventListener("change", () => {
      this.#times = 1;
      this.#render();
    });
    this.#more.addEventListener("click", () => {
      this.#times *= MORE;
      this.#render();
      // The button may be hidden now.
      this.#content.focus();
    });
    copy.addEventListener("click", () => void this.#copy());
    download.addEventListener("click", () => this.#save());
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
    this.#shown = new Content(data);
    this.#views.replaceChildren(...this.#shown.views.map((view) => new Option(NAMES[view], view)));
    this.#times = 1;
    this.#note.textContent = "";
    this.#render();
    this.#content.scrollTo(0, 0);
    // On small screens, the panel opens below the visible part.
    this.element.scrollIntoView({ block: "nearest" });
  }

  #render(): void {
    if (this.#frame === undefined) {
      return;
    }
    const view = this.#views.value as View;
    const most = (view === "hex" ? FIRST_BYTES : FIRST_CHARACTERS) * this.#times;
    const perLine = this.element.clientWidth < WIDE ? 8 : 16;
    const { text, left } = this.#shown.show(view, most, perLine);
    this.#content.textContent = text;
    this.#content.classList.toggle("dump", view === "hex");
    const what = `${countText(left)} ${view === "hex" ? "bytes" : "characters"}`;
    const isMost = this.#times >= MAX_TIMES;
    this.#more.hidden = left === 0 || isMost;
    this.#more.textContent = `Show more: ${what} left`;
    this.#rest.hidden = left === 0 || !isMost;
    this.#rest.textContent = `${what} more are not shown. Save the message to see all of it.`;
  }

  async #copy(): Promise<void> {
    const frame = this.#frame;
    const note = await copied(frame?.data ?? "");
    if (frame === this.#frame) {
      this.#note.textContent = note;
    }
  }

  #save(): void {
    if (this.#frame !== undefined) {
      const { connection, number, data } = this.#frame;
      const extension = typeof data === "string" ? "txt" : "bin";
      save(new Blob([data as BlobPart]), `connection-${connection.id}-frame-${number}.${extension}`);
    }
  }
}

/** Copies a message and returns a text that reports the outcome. */
async function copied(data: string | Uint8Array): Promise<string> {
  if ((typeof data === "string" ? data.length : data.length * 3) > MAX_COPIED) {
    return "The message is too long to copy. Save it as a file.";
  }
  try {
    await navigator.clipboard.writeText(typeof data === "string" ? data : hexText(data));
    return "Message copied.";
  } catch {
    return "The browser blocks copying here.";
  }
}

/** Creates a small button. */
export function button(text: string): HTMLButtonElement {
  const element = createElement("button", "button small", text);
  element.type = "button";
  return element;
}
