import { createElement } from "../shell/elements.js";
import type { Block, Filter, Line, Lines } from "./lines.js";
import { Reader } from "./reader.js";

/** The time for filtering lines per animation frame, in milliseconds. The rest follows in later frames. */
const FILTER_TIME = 8;
/** The most times that a draw recomputes the range of blocks after measuring some. */
const PASSES = 4;
/**
 * When lines keep arriving, the view rests after a draw for this multiple of the draw's duration, up to a maximum in
 * milliseconds.
 */
const REST = 4;
const MAX_REST_MS = 150;
/** The distance from the end that still counts as the end, in pixels, because positions are rounded. */
const NEAR = 3;

/** A position that stays in place on screen while the content above it changes. */
interface Anchor {
  readonly number: number;
  readonly offset: number;
}

/** A range of block indexes. */
interface Range {
  readonly first: number;
  readonly last: number;
}

export interface LinesViewOptions {
  draw(line: Line): HTMLElement;
  /** Called after each frame with changes. */
  onDrawn(): void;
}

/**
 * Shows lines in a scrolling element. Only the blocks around the visible part are in the page. Empty space above and
 * below them is as tall as the other blocks are or, if they were never measured, are estimated to be.
 *
 * If the view is at the end, it stays there. Otherwise it keeps the first visible block in place.
 */
export class LinesView {
  readonly element = createElement("div", "output-list");
  readonly #above = createElement("div", "output-space");
  readonly #below = createElement("div", "output-space");
  /** An invisible line for measuring widths. */
  readonly #probe = createElement("div", "output-line output-probe");
  readonly #probed = createElement("span", "", "0".repeat(100));
  readonly #probedText = createElement("div", "output-text");
  readonly #lines: Lines;
  readonly #options: LinesViewOptions;
  #filter: Filter;
  /** The blocks that are in the page. */
  #drawn: readonly Block[] = [];
  #isAtEnd = true;
  #isRequested = false;
  #restsUntil = 0;
  /** Runs while a draw is delayed. */
  #rest: ReturnType<typeof setTimeout> | undefined;
  /** The last known scroll position. */
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
    this.#probe.append(
      createElement("span", "output-mark"),
      createElement("span", "output-time", "0.000"),
      this.#probedText,
    );
    element.append(this.#probe, this.#above, this.#below);
    element.addEventListener("scroll", () => this.#onScroll(), { passive: true });
    element.addEventListener("wheel", ({ deltaY }) => deltaY < 0 && this.#leave(), { passive: true });
    element.addEventListener("keydown", ({ key }) => this.#onKey(key));
    // A click may have made a line taller.
    element.addEventListener("click", () => this.request());
    new ResizeObserver(() => this.remeasure()).observe(element);
  }

  /** An element that announces the lines that screen readers skip. */
  get summary(): HTMLElement {
    return this.#reader.summary;
  }

  /** Returns true if the newest line is on screen and stays there. */
  get isAtEnd(): boolean {
    return this.#isAtEnd;
  }

  /** The number of lines that pass the filter, as far as it is known. */
  get shown(): number {
    return this.#shown;
  }

  /** Draws in the next animation frame. */
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

  /** Draws new lines, but leaves the page time for other work. */
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

  /** Marks the element while a draw is pending. Tests wait for it, because nothing else shows the last draw. */
  #showPending(): void {
    this.element.toggleAttribute("data-pending", this.#isRequested || this.#rest !== undefined);
  }

  /** Shows only the lines that pass a filter. */
  filter(filter: Filter): void {
    this.#filter = filter;
    this.request();
  }

  /** Scrolls to the end and stays there. */
  follow(): void {
    this.#isAtEnd = true;
    this.request();
  }

  /** Resets the view after all lines were removed. */
  clear(): void {
    for (const block of this.#drawn) {
      this.#remove(block);
    }
    this.#drawn = [];
    this.#reader.clear();
    this.follow();
  }

  /** Updates all heights after something that affects them has changed. */
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
    // Scrolling by the view itself is already drawn.
    if (scrollTop !== this.#scrolled) {
      // Users who scroll up a little want to go further, or the browser scrolls in small steps.
      const near = scrollTop < this.#scrolled ? 1 : NEAR;
      this.#scrolled = scrollTop;
      this.#isAtEnd = scrollHeight - clientHeight - scrollTop < near;
      this.request();
    }
  }

  #onKey(key: string): void {
    if (key === "End") {
      // If lines keep arriving, the browser alone would never get there.
      this.follow();
    } else if (key === "PageUp" || key === "ArrowUp" || key === "Home") {
      this.#leave();
    }
  }

  /** Stops following when the user scrolls up. Otherwise new lines would pull them back before the browser starts to scroll. */
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
      // The list is hidden. Showing it will trigger a resize.
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
    this.#restsUntil = now + Math.min((now - began) * REST, MAX_REST_MS);
  }

  /** Filters blocks, newest first, because users mostly look at the end. */
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

  /** Lets screen readers read new lines aloud, unless there are too many or the user is elsewhere. */
  #setLive(blocks: readonly Block[]): void {
    this.#shown = blocks.reduce((sum, block) => sum + this.#linesOf(block).length, 0);
    const hasMore = this.#reader.count(this.#lines.count + this.#lines.dropped);
    if (hasMore || !this.#isAtEnd) {
      this.element.ariaLive = this.#isAtEnd && !this.#reader.isFlooded ? "polite" : "off";
    }
  }

  /** Returns the lines to show of a block; none if it has not been filtered yet. */
  #linesOf(block: Block): readonly Line[] {
    return block.isStale(this.#filter) ? [] : block.shown;
  }

  #heightOf(block: Block): number {
    if (block.isStale(this.#filter)) {
      return 0;
    }
    return block.measured ?? block.estimate(this.#columns) * this.#rowHeight;
  }

  /** Returns the anchor at the top of the screen, based on the last draw. */
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

  /** Returns the blocks that should be in the page: the visible ones, and one screen above and below. */
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

  /** Adds and removes blocks, and measures them. */
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
      block.element ??= createElement("div", "output-block");
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
    // Moves the keyboard focus to the list, so that it does not jump to the top of the page.
    if (block.element?.contains(document.activeElement)) {
      this.element.focus({ preventScroll: true });
    }
    block.element?.remove();
    block.element = undefined;
    block.drawn = 0;
  }

  /** Sets the heights of the empty spaces and restores the scroll position. */
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
        // If the anchor's block was dropped, the oldest one takes its place.
        const offset = block.number === anchor.number ? Math.min(anchor.offset, this.#heightOf(block)) : 0;
        if (Math.abs(block.top + offset - list.scrollTop) >= 1) {
          list.scrollTop = block.top + offset;
        }
      }
    }
    this.#scrolled = list.scrollTop;
  }
}

/** Returns the index of the block with a number, or of the block nearest to it. */
function indexOf(blocks: readonly Block[], number: number): number {
  return Math.max(0, Math.min(number - (blocks[0]?.number ?? 0), blocks.length - 1));
}
