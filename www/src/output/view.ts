import { made } from "../shell/elements.js";
import type { Block, Filter, Line, Lines } from "./lines.js";
import { Reader } from "./reader.js";

/** How long lines may be filtered in a frame, in milliseconds. What is left is done in the next ones. */
const FILTER_TIME = 8;
/** How often a frame looks again which blocks are to be seen, now that it has measured some. */
const PASSES = 4;
/** How many times as long as a drawing took it waits for the next one, where lines come all the time, and how long at most, in milliseconds. */
const REST = 4;
const LONGEST_REST = 150;
/** How near to the end is at the end, in pixels: positions are rounded. */
const NEAR = 3;

/** A place that stays where it is on screen while what is above it changes. */
interface Anchor {
  readonly number: number;
  readonly offset: number;
}

/** A range of blocks, by their places among those that are kept. */
interface Range {
  readonly first: number;
  readonly last: number;
}

export interface LinesViewOptions {
  draw(line: Line): HTMLElement;
  /** Called after each frame in which something has changed. */
  onDrawn(): void;
}

/**
 * Shows lines in an element that scrolls. Only the blocks around what the reader sees are in the page; above and below them is
 * empty space, as tall as the other blocks are, or, where they were never measured, probably are.
 *
 * It stays at the end when it is there. Otherwise it stays at the block that the reader sees first.
 */
export class LinesView {
  readonly element = made("div", "output-list");
  readonly #above = made("div", "output-space");
  readonly #below = made("div", "output-space");
  /** An invisible line, by which widths are measured. */
  readonly #probe = made("div", "output-line output-probe");
  readonly #probed = made("span", "", "0".repeat(100));
  readonly #probedText = made("div", "output-text");
  readonly #lines: Lines;
  readonly #options: LinesViewOptions;
  #filter: Filter;
  /** The blocks that are in the page. */
  #drawn: readonly Block[] = [];
  #isAtEnd = true;
  #isRequested = false;
  #restsUntil = 0;
  /** Runs while a drawing waits. */
  #rest: ReturnType<typeof setTimeout> | undefined;
  /** Where the reader was when this was looked at last. */
  #scrolled = 0;
  #rowHeight = 20;
  #columns = Number.POSITIVE_INFINITY;
  readonly #reader = new Reader();
  #shown = 0;

  constructor(lines: Lines, options: LinesViewOptions) {
    this.#lines = lines;
    this.#options = options;
    const { element } = this;
    element.role = "log";
    element.ariaLabel = "Output";
    element.ariaLive = "off";
    element.tabIndex = 0;
    this.#probe.ariaHidden = "true";
    this.#probedText.append(this.#probed);
    this.#probe.append(made("span", "output-mark"), made("span", "output-time", "0.000"), this.#probedText);
    element.append(this.#probe, this.#above, this.#below);
    element.addEventListener("scroll", () => this.#onScroll(), { passive: true });
    element.addEventListener("wheel", ({ deltaY }) => deltaY < 0 && this.#leave(), { passive: true });
    element.addEventListener("keydown", ({ key }) => this.#onKey(key));
    // Whatever was clicked may have become taller.
    element.addEventListener("click", () => this.request());
    new ResizeObserver(() => this.remeasure()).observe(element);
  }

  /** Says what is not read out of the lines. */
  get summary(): HTMLElement {
    return this.#reader.summary;
  }

  /** Whether the newest line is on screen, and stays there. */
  get isAtEnd(): boolean {
    return this.#isAtEnd;
  }

  /** How many lines pass the filter, as far as is known. */
  get shown(): number {
    return this.#shown;
  }

  /** Draws in the next frame. */
  request(): void {
    clearTimeout(this.#rest);
    this.#rest = undefined;
    if (!this.#isRequested) {
      this.#isRequested = true;
      requestAnimationFrame(() => {
        this.#isRequested = false;
        this.#draw();
        this.#showPending();
      });
    }
    this.#showPending();
  }

  /** Draws what came, though not so often that the page has time for little else. */
  requestLater(): void {
    if (!this.#isRequested && this.#rest === undefined) {
      const wait = this.#restsUntil - performance.now();
      if (wait > 0) {
        this.#rest = setTimeout(() => this.request(), wait);
        this.#showPending();
      } else {
        this.request();
      }
    }
  }

  /** Marks the element while something is to be drawn: the tests wait for the last drawing, which nothing else shows. */
  #showPending(): void {
    this.element.toggleAttribute("data-pending", this.#isRequested || this.#rest !== undefined);
  }

  /** Shows the lines that pass a filter. */
  filter(filter: Filter): void {
    this.#filter = filter;
    this.request();
  }

  /** Goes to the end, and stays there. */
  follow(): void {
    this.#isAtEnd = true;
    this.request();
  }

  /** After all lines were removed. */
  clear(): void {
    for (const block of this.#drawn) {
      this.#remove(block);
    }
    this.#drawn = [];
    this.#reader.clear();
    this.follow();
  }

  /** After what decides on the heights of lines has changed. */
  remeasure(): void {
    for (const block of this.#lines.blocks) {
      block.measured = undefined;
    }
    this.#rowHeight = Number.parseFloat(getComputedStyle(this.element).lineHeight) || this.#rowHeight;
    const width = this.#probed.getBoundingClientRect().width / 100;
    const columns = Math.floor(this.#probedText.clientWidth / width);
    const isWrapped = this.element.classList.contains("wrap") && columns > 0;
    this.#columns = isWrapped ? columns : Number.POSITIVE_INFINITY;
    this.request();
  }

  #onScroll(): void {
    const { scrollTop, scrollHeight, clientHeight } = this.element;
    // What this has scrolled itself is drawn already.
    if (scrollTop !== this.#scrolled) {
      // Whoever goes up a little wants to go further, or the browser does so for them, in small steps.
      const near = scrollTop < this.#scrolled ? 1 : NEAR;
      this.#scrolled = scrollTop;
      this.#isAtEnd = scrollHeight - clientHeight - scrollTop < near;
      this.request();
    }
  }

  #onKey(key: string): void {
    if (key === "End") {
      // Where new lines come all the time, the browser would never get there.
      this.follow();
    } else if (key === "PageUp" || key === "ArrowUp" || key === "Home") {
      this.#leave();
    }
  }

  /** The reader goes up. New lines would otherwise bring them back before the browser has begun to scroll. */
  #leave(): void {
    if (this.element.scrollTop > 0) {
      this.#isAtEnd = false;
    }
  }

  #draw(): void {
    const began = performance.now();
    const list = this.element;
    const height = list.clientHeight;
    if (height === 0) {
      // It is not on screen: it will be resized when it is.
      return;
    }
    const { blocks } = this.#lines;
    const anchor = this.#isAtEnd ? undefined : this.#anchor(blocks, list.scrollTop);
    this.#applyFilter(blocks);
    this.#setLive(blocks);
    let range: Range | undefined;
    for (let pass = 0; pass < PASSES; pass += 1) {
      const next = this.#rangeAround(blocks, anchor, height);
      if (next.first === range?.first && next.last === range.last) {
        break;
      }
      range = next;
      this.#fill(blocks, range);
    }
    if (range !== undefined) {
      this.#place(blocks, range, anchor);
    }
    this.#options.onDrawn();
    const now = performance.now();
    this.#restsUntil = now + Math.min((now - began) * REST, LONGEST_REST);
  }

  /** Finds out what is to be seen, the newest first, since that is where the reader is mostly. */
  #applyFilter(blocks: readonly Block[]): void {
    const end = performance.now() + FILTER_TIME;
    for (let index = blocks.length - 1; index >= 0; index -= 1) {
      const block = blocks[index];
      if (block?.isStale(this.#filter)) {
        if (performance.now() > end) {
          this.request();
          break;
        }
        block.apply(this.#filter);
      }
    }
  }

  /** Lets screen readers read out what is new, unless that is too much, or the reader is elsewhere. */
  #setLive(blocks: readonly Block[]): void {
    this.#shown = blocks.reduce((sum, block) => sum + this.#linesOf(block).length, 0);
    const hasMore = this.#reader.count(this.#lines.count + this.#lines.dropped);
    if (hasMore || !this.#isAtEnd) {
      this.element.ariaLive = this.#isAtEnd && !this.#reader.isFlooded ? "polite" : "off";
    }
  }

  /** The lines to be seen of a block. None before they are known. */
  #linesOf(block: Block): readonly Line[] {
    return block.isStale(this.#filter) ? [] : block.shown;
  }

  #heightOf(block: Block): number {
    if (block.isStale(this.#filter)) {
      return 0;
    }
    return block.measured ?? block.estimate(this.#columns) * this.#rowHeight;
  }

  /** What is at the top of the screen, by the places of the blocks when they were drawn last. */
  #anchor(blocks: readonly Block[], scrolled: number): Anchor {
    let [low, high] = [0, blocks.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((blocks[middle]?.top ?? 0) <= scrolled) {
        low = middle;
      } else {
        high = middle;
      }
    }
    const block = blocks[low];
    return { number: block?.number ?? 0, offset: Math.max(0, scrolled - (block?.top ?? 0)) };
  }

  /** The blocks that are to be in the page: those on screen, and as much again above and below them. */
  #rangeAround(blocks: readonly Block[], anchor: Anchor | undefined, height: number): Range {
    const at = (index: number) => {
      const block = blocks[index];
      return block === undefined ? 0 : this.#heightOf(block);
    };
    let first = anchor === undefined ? blocks.length : indexOf(blocks, anchor.number);
    let last = first - 1;
    for (let below = -(anchor?.offset ?? 0); last < blocks.length - 1 && below < height * 2; ) {
      last += 1;
      below += at(last);
    }
    const margin = anchor === undefined ? height * 2 : height;
    for (let above = 0; first > 0 && above < margin; ) {
      first -= 1;
      above += at(first);
    }
    return { first, last };
  }

  /** Puts blocks into the page, takes the others out of it, and measures. */
  #fill(blocks: readonly Block[], { first, last }: Range): void {
    const wanted = blocks.slice(first, last + 1).filter((block) => this.#linesOf(block).length > 0);
    for (const block of this.#drawn) {
      if (!wanted.includes(block)) {
        this.#remove(block);
      }
    }
    this.#drawn = wanted;
    let next = this.#above.nextSibling;
    for (const block of wanted) {
      block.element ??= made("div", "output-block");
      if (block.element === next) {
        next = next.nextSibling;
      } else {
        this.element.insertBefore(block.element, next);
      }
      const { shown } = block;
      if (block.drawn < shown.length) {
        block.element.append(...shown.slice(block.drawn).map((line) => this.#options.draw(line)));
        block.drawn = shown.length;
      }
    }
    for (const block of wanted) {
      block.measured = block.element?.getBoundingClientRect().height;
    }
  }

  #remove(block: Block): void {
    // Whoever is in there with the keyboard goes on from the list, not from the top of the page.
    if (block.element?.contains(document.activeElement)) {
      this.element.focus({ preventScroll: true });
    }
    block.element?.remove();
    block.element = undefined;
    block.drawn = 0;
  }

  /** Makes the empty spaces as tall as what is not there, and brings the reader where they were. */
  #place(blocks: readonly Block[], { first, last }: Range, anchor: Anchor | undefined): void {
    let top = 0;
    let [above, below] = [0, 0];
    for (const [index, block] of blocks.entries()) {
      const height = this.#heightOf(block);
      block.top = top;
      top += height;
      above += index < first ? height : 0;
      below += index > last ? height : 0;
    }
    this.#above.style.setProperty("height", `${above}px`);
    this.#below.style.setProperty("height", `${below}px`);
    const list = this.element;
    if (anchor === undefined) {
      list.scrollTop = list.scrollHeight;
    } else {
      const block = blocks[indexOf(blocks, anchor.number)];
      if (block !== undefined) {
        // A block that is gone leaves the reader at the oldest one.
        const offset = block.number === anchor.number ? Math.min(anchor.offset, this.#heightOf(block)) : 0;
        if (Math.abs(block.top + offset - list.scrollTop) >= 1) {
          list.scrollTop = block.top + offset;
        }
      }
    }
    this.#scrolled = list.scrollTop;
  }
}

/** Where the block of that number is now, or the one that took its place. */
function indexOf(blocks: readonly Block[], number: number): number {
  return Math.max(0, Math.min(number - (blocks[0]?.number ?? 0), blocks.length - 1));
}
