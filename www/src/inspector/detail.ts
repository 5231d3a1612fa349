import { made } from "../shell/elements.js";
import { Content, countText, hexText, sizeText, type View } from "./contents.js";
import { save } from "./export.js";
import type { Frame } from "./recorder.js";
import { timeText } from "./timeline.js";

/** How much is shown at first, and how many times as much each time more is asked for. */
const FIRST_CHARACTERS = 32_768;
const FIRST_BYTES = 4_096;
const MORE = 8;
/** More than so many times as much is never shown: to lay it out would take the browser seconds. */
const MOST_TIMES = 8;
/** More characters are not copied: the clipboard takes them all at once. */
const MOST_COPIED = 4_000_000;
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
  readonly #rest = made("p", "sockets-note");
  readonly #note = made("p", "sockets-note");
  #frame: Frame | undefined;
  #shown = new Content("");
  #times = 1;

  constructor(onClose: () => void) {
    this.element.ariaLabel = "Frame";
    this.element.hidden = true;
    this.#views.ariaLabel = "Shown as";
    this.#content.tabIndex = 0;
    this.#content.role = "region";
    this.#content.ariaLabel = "Message content";
    const copy = button("Copy");
    const download = button("Save");
    download.title = "As a file";
    const close = button("✕");
    close.ariaLabel = "Close message";
    close.classList.add("close");
    const bar = made("div", "bar");
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
      // The button may be gone now.
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
    // Where not all of the panel fits on the screen, it opens below what can be seen.
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
    const isMost = this.#times >= MOST_TIMES;
    this.#more.hidden = left === 0 || isMost;
    this.#more.textContent = `Show more: ${what} left`;
    this.#rest.hidden = left === 0 || !isMost;
    this.#rest.textContent = `The rest of ${what} is not shown: save the frame to see all of it.`;
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

/** Copies a message; returns what became of it. */
async function copied(data: string | Uint8Array): Promise<string> {
  if ((typeof data === "string" ? data.length : data.length * 3) > MOST_COPIED) {
    return "The message is too long to copy. Save it as a file.";
  }
  try {
    await navigator.clipboard.writeText(typeof data === "string" ? data : hexText(data));
    return "Message copied.";
  } catch {
    return "The browser blocks copying here.";
  }
}

/** A button of a bar. */
export function button(text: string): HTMLButtonElement {
  const element = made("button", "button small", text);
  element.type = "button";
  return element;
}
