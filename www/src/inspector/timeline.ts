import { Queue } from "../queue.js";
import { createElement, setText } from "../shell/elements.js";
import { previewText, sizeText } from "./contents.js";
import type { Frame } from "./recorder.js";

/** The number of rows kept above and below the visible ones. */
const MARGIN = 4;

const ICONS: Readonly<Record<Frame["kind"], string>> = { sent: "↑", received: "↓", state: "·" };

interface Row {
  readonly row: HTMLElement;
  readonly icon: HTMLElement;
  /** The meaning of the icon, for screen readers. */
  readonly kind: HTMLElement;
  readonly time: HTMLElement;
  readonly size: HTMLElement;
  readonly preview: HTMLElement;
  frame: Frame | undefined;
}

let count = 0;

/**
 * The timeline entries of a connection. Only the visible ones are in the document. It follows the newest entry while it
 * is scrolled to the end.
 */
export class Timeline {
  readonly element = createElement("div", "sockets-frames");
  readonly #id = `sockets-frames-${++count}`;
  readonly #space = createElement("div", "space");
  readonly #rows: Row[] = [];
  readonly #onSelect: (frame: Frame | undefined) => void;
  readonly #onScroll: () => void;
  #frames = new Queue<Frame>();
  #selected: Frame | undefined;
  #isFollowing = true;
  /** The height of a row, in pixels. */
  #rowHeight = 28;
  /** The number of entries removed from the beginning since the last render. */
  #left = 0;

  constructor(onSelect: (frame: Frame | undefined) => void, onScroll: () => void) {
    this.#onSelect = onSelect;
    this.#onScroll = onScroll;
    this.element.role = "listbox";
    this.element.ariaLabel = "Entries";
    this.element.tabIndex = 0;
    this.#space.role = "presentation";
    this.element.append(this.#space);
    this.element.addEventListener("scroll", () => {
      this.#isFollowing = this.isAtEnd;
      onScroll();
    });
    this.element.addEventListener("keydown", (event) => this.#onKey(event));
    this.element.addEventListener("click", ({ target }) => {
      const row = this.#rows.find(({ row }) => row.contains(target as Element));
      if (row?.frame !== undefined) {
        this.select(row.frame);
      }
    });
  }

  get length(): number {
    return this.#frames.length;
  }

  get isFollowing(): boolean {
    return this.#isFollowing;
  }

  /** Returns true if the newest entry is visible. */
  get isAtEnd(): boolean {
    const { scrollTop, clientHeight, scrollHeight } = this.element;
    return scrollTop + clientHeight >= scrollHeight - this.#rowHeight / 2;
  }

  /** Replaces all entries. */
  show(frames: Iterable<Frame>): void {
    this.#frames = new Queue();
    for (const frame of frames) {
      this.#frames.push(frame);
    }
    this.#left = 0;
  }

  add(frame: Frame): void {
    this.#frames.push(frame);
  }

  /** Removes the first entry, if it is this one. */
  drop(frame: Frame): void {
    if (this.#frames.at(0) === frame) {
      this.#frames.shift();
      this.#left++;
    }
  }

  /** Scrolls to the end and follows new entries. */
  follow(): void {
    this.#isFollowing = true;
    this.#onScroll();
  }

  select(frame: Frame | undefined): void {
    this.#selected = frame;
    // Otherwise the selected entry would scroll away.
    this.#isFollowing &&= frame === undefined;
    this.#onSelect(frame);
    this.#onScroll();
  }

  /** Must be called when the size of the element has changed. */
  measure(): void {
    const height = Number.parseFloat(getComputedStyle(this.#space).lineHeight);
    this.#rowHeight = Number.isFinite(height) ? height : this.#rowHeight;
  }

  /** Draws the visible rows. */
  render(): void {
    const length = this.#frames.length;
    this.#space.style.setProperty("block-size", `${length * this.#rowHeight}px`);
    if (this.#isFollowing) {
      this.element.scrollTop = length * this.#rowHeight;
    } else if (this.#left > 0) {
      // Keeps the visible rows in place.
      this.element.scrollTop -= this.#left * this.#rowHeight;
    }
    this.#left = 0;
    const { scrollTop, clientHeight } = this.element;
    const first = Math.max(0, Math.floor(scrollTop / this.#rowHeight) - MARGIN);
    const last = Math.min(length, Math.ceil((scrollTop + clientHeight) / this.#rowHeight) + MARGIN);
    while (this.#rows.length < last - first) {
      this.#addRow();
    }
    let active: string | null = null;
    for (const [index, row] of this.#rows.entries()) {
      const frame = first + index < last ? this.#frames.at(first + index) : undefined;
      this.#fill(row, frame, first + index);
      if (frame !== undefined && frame === this.#selected) {
        active = row.row.id;
      }
    }
    if (active === null) {
      this.element.removeAttribute("aria-activedescendant");
    } else {
      this.element.setAttribute("aria-activedescendant", active);
    }
  }

  #addRow(): void {
    const row: Row = {
      row: createElement("div", "frame"),
      icon: createElement("span", "icon"),
      kind: createElement("span", "visually-hidden"),
      time: createElement("span", "time"),
      size: createElement("span", "size"),
      preview: createElement("span", "preview"),
      frame: undefined,
    };
    row.row.role = "option";
    row.row.id = `${this.#id}-${this.#rows.length}`;
    row.icon.ariaHidden = "true";
    row.row.append(row.icon, row.kind, row.time, row.size, row.preview);
    this.#rows.push(row);
    this.#space.append(row.row);
  }

  #fill(row: Row, frame: Frame | undefined, index: number): void {
    row.row.hidden = frame === undefined;
    if (frame === undefined) {
      return;
    }
    row.row.style.setProperty("transform", `translateY(${index * this.#rowHeight}px)`);
    row.row.ariaSelected = String(frame === this.#selected);
    row.row.ariaPosInSet = String(index + 1);
    row.row.ariaSetSize = String(this.#frames.length);
    if (row.frame === frame) {
      return;
    }
    row.frame = frame;
    const { kind, data, size, time, connection } = frame;
    const preview = previewText(data);
    row.row.dataset.kind = kind;
    row.row.dataset.type = typeof data === "string" ? "text" : "binary";
    setText(row.icon, ICONS[kind]);
    setText(row.kind, kind === "state" ? "" : kind);
    setText(row.time, timeText(time - connection.began));
    setText(row.size, kind === "state" ? "" : sizeText(size));
    setText(row.preview, preview === "" ? "(empty)" : preview);
  }

  #onKey(event: KeyboardEvent): void {
    const index = this.#indexOf(this.#selected);
    const page = Math.max(1, Math.floor(this.element.clientHeight / this.#rowHeight) - 1);
    const last = this.#frames.length - 1;
    const target = {
      ArrowUp: index < 0 ? last : index - 1,
      ArrowDown: index < 0 ? last : index + 1,
      PageUp: index - page,
      PageDown: index + page,
      Home: 0,
      End: last,
    }[event.key];
    if (event.key === "Escape" && this.#selected !== undefined) {
      event.preventDefault();
      this.select(undefined);
    } else if (target !== undefined && last >= 0 && !event.altKey && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      const place = Math.min(last, Math.max(0, target));
      this.select(this.#frames.at(place));
      this.#reveal(place);
    }
  }

  #reveal(index: number): void {
    const top = index * this.#rowHeight;
    const { scrollTop, clientHeight } = this.element;
    if (top < scrollTop) {
      this.element.scrollTop = top;
    } else if (top + this.#rowHeight > scrollTop + clientHeight) {
      this.element.scrollTop = top + this.#rowHeight - clientHeight;
    }
  }

  /** Finds the index of an entry. Entries are sorted by number. */
  #indexOf(frame: Frame | undefined): number {
    let [low, high] = [0, this.#frames.length - 1];
    while (frame !== undefined && low <= high) {
      const middle = (low + high) >> 1;
      const number = this.#frames.at(middle)?.number ?? 0;
      if (number === frame.number) {
        return middle;
      }
      if (number < frame.number) {
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    return -1;
  }
}

/** Formats the time since the connection began. */
export function timeText(milliseconds: number): string {
  return `${(milliseconds / 1_000).toFixed(3)} s`;
}
