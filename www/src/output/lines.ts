import type { Kind } from "../types.js";
import { hasParts, weightOf } from "./values.js";

/** One piece of output, usually a single line. */
export interface Line {
  readonly kind: Kind;
  readonly text: string;
  /** The time since the run began, in milliseconds. */
  readonly time: number;
  /** The text after the values, in rows of its own. */
  readonly after: string;
  /** The values, if any of them can be expanded. They are dropped before the text is. */
  values: readonly unknown[] | undefined;
  /** The element on screen, once the user has opened something in it that should stay open. */
  element: HTMLElement | undefined;
}

/** Returns true if the text of a line precedes its values. Otherwise the text is the values, separated by tabs. */
export function isLabel(kind: Kind): boolean {
  return kind === "error" || kind === "system";
}

/** Returns true for lines to show; undefined shows all. */
export type Filter = ((line: Line) => boolean) | undefined;

/** The part of a text that is on screen at first. A button shows the rest, and copying always includes it. */
export const CUT = { characters: 10_000, rows: 200 } as const;

/** The limits of a block. A block is drawn and measured at once, which must stay fast. */
const FULL = { lines: 50, rows: 100, characters: 20_000 } as const;
/** The limit for the texts of all lines, in UTF-16 code units. */
const MAX_CHARACTERS = 32_000_000;
/** The limit for the parts of all values: about as many objects and bytes as a page can hold beside everything else. */
const MAX_PARTS = 1_000_000;

/** Consecutive lines, with the layout data that the view keeps for them. */
export class Block {
  /** The consecutive number of the block, from 0. */
  readonly number: number;
  readonly lines: Line[] = [];
  /** The number of rows in the texts, without wrapping. */
  rows = 0;
  characters = 0;
  parts = 0;

  /** The top of the block as of the last draw. */
  top = Number.POSITIVE_INFINITY;
  /** The height as of the last measurement; undefined if it may have changed off screen. */
  measured: number | undefined;
  element: HTMLElement | undefined;
  /** The number of shown lines that are in the element. */
  drawn = 0;

  #filter: Filter;
  /** The number of lines that the filter has seen. */
  #asked = 0;
  #passed: Line[] = [];
  #estimated: { readonly columns: number; readonly count: number; readonly rows: number } | undefined;

  constructor(number: number) {
    this.number = number;
  }

  /** Returns true if {@link apply} has something to do. */
  isStale(filter: Filter): boolean {
    return this.#filter !== filter || (filter !== undefined && this.#asked < this.lines.length);
  }

  /** Applies the filter to the lines it has not seen. */
  apply(filter: Filter): void {
    if (this.#filter !== filter) {
      this.#filter = filter;
      this.#asked = 0;
      this.#passed = [];
      this.#estimated = undefined;
      this.measured = undefined;
      this.element?.replaceChildren();
      this.drawn = 0;
    }
    if (filter !== undefined) {
      for (const line of this.lines.slice(this.#asked)) {
        if (filter(line)) {
          this.#passed.push(line);
        }
      }
      this.#asked = this.lines.length;
    }
  }

  /** The lines that pass the filter, as far as they are known. */
  get shown(): readonly Line[] {
    return this.#filter === undefined ? this.lines : this.#passed;
  }

  /**
   * Estimates the number of rows on screen.
   *
   * @param columns the number of characters in a row before the text wraps
   */
  estimate(columns: number): number {
    const { shown } = this;
    const known = this.#estimated;
    if (known?.columns === columns && known.count === shown.length) {
      return known.rows;
    }
    const rows = shown.reduce((sum, { text, after }) => {
      return sum + rowsOnScreen(text, columns) + (after === "" ? 0 : rowsOnScreen(after, columns));
    }, 0);
    this.#estimated = { columns, count: shown.length, rows };
    return rows;
  }
}

/**
 * The newest lines. When there are too many or they use too much memory, the oldest block is dropped.
 */
export class Lines {
  /** Oldest first, numbered without gaps. */
  readonly blocks: Block[] = [];
  /** The number of kept rows. */
  count = 0;
  /** The number of dropped rows. */
  dropped = 0;
  readonly #most: number;
  readonly #linesOfBlock: number;
  #characters = 0;
  #parts = 0;
  /** The number of the first block that may still have values. */
  #firstWithValues = 0;

  constructor(most: number) {
    this.#most = most;
    // With a low limit, blocks are smaller, so that not too many lines are dropped at once.
    this.#linesOfBlock = Math.max(1, Math.min(FULL.lines, Math.floor(most / 20)));
  }

  push({ kind, text, time, values, after }: Omit<Line, "element"> & { values: readonly unknown[] }): void {
    // Values after a label are shown even if they cannot be opened.
    const isKept = isLabel(kind) ? values.length > 0 : values.some(hasParts);
    const kept = isKept ? values : undefined;
    const rows = rowsOf(text, this.#most) + (after === "" ? 0 : rowsOf(after, this.#most));
    const parts = kept === undefined ? 0 : weightOf(kept);
    const block = this.#open();
    block.lines.push({ kind, text, time, values: kept, after, element: undefined });
    block.rows += rows;
    block.characters += text.length;
    block.parts += parts;
    this.count += rows;
    this.#characters += text.length;
    this.#parts += parts;
    this.#drop();
  }

  clear(): void {
    this.blocks.length = 0;
    this.count = 0;
    this.dropped = 0;
    this.#characters = 0;
    this.#parts = 0;
    this.#firstWithValues = 0;
  }

  /** Returns the block for the next line. */
  #open(): Block {
    const last = this.blocks.at(-1);
    if (
      last !== undefined &&
      last.lines.length < this.#linesOfBlock &&
      last.rows < FULL.rows &&
      last.characters < FULL.characters
    ) {
      return last;
    }
    const block = new Block(last === undefined ? 0 : last.number + 1);
    this.blocks.push(block);
    return block;
  }

  #drop(): void {
    while (this.blocks.length > 1 && (this.count > this.#most || this.#characters > MAX_CHARACTERS)) {
      const block = this.blocks.shift();
      if (block !== undefined) {
        this.count -= block.rows;
        this.dropped += block.rows;
        this.#characters -= block.characters;
        this.#parts -= block.parts;
      }
    }
    const first = this.blocks[0]?.number ?? 0;
    this.#firstWithValues = Math.max(this.#firstWithValues, first);
    // The values of the newest line stay, no matter how many parts they have.
    while (this.#parts > MAX_PARTS && this.#firstWithValues - first < this.blocks.length - 1) {
      const block = this.blocks[this.#firstWithValues - first];
      if (block !== undefined) {
        this.#parts -= block.parts;
        block.parts = 0;
        for (const line of block.lines) {
          if (line.values?.some(hasParts)) {
            line.values = undefined;
          }
        }
      }
      this.#firstWithValues += 1;
    }
  }
}

/** Returns the number of rows in a text, up to a limit. */
function rowsOf(text: string, most: number): number {
  let rows = 1;
  for (let at = text.indexOf("\n"); at >= 0 && rows < most; at = text.indexOf("\n", at + 1)) {
    rows += 1;
  }
  return rows;
}

/** Estimates the number of rows of a text on screen, where wide rows are wrapped. */
function rowsOnScreen(text: string, columns: number): number {
  if (text.length <= columns && !text.includes("\n")) {
    return 1;
  }
  let rows = 0;
  let start = 0;
  while (start < text.length && start < CUT.characters && rows < CUT.rows) {
    const newline = text.indexOf("\n", start);
    const end = newline < 0 ? text.length : newline;
    rows += Math.max(1, Math.ceil((Math.min(end, CUT.characters) - start) / columns));
    start = end + 1;
  }
  return rows;
}
