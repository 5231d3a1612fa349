import type { Kind } from "../types.js";
import { hasParts, weightOf } from "./values.js";

/** What was put out at once: a line mostly, or several. */
export interface Line {
  readonly kind: Kind;
  readonly text: string;
  /** In milliseconds since the run began. */
  readonly time: number;
  /** What comes after the values, in rows of its own. */
  readonly after: string;
  /** What was put out, where it has parts to look into. Let go of before the text is. */
  values: readonly unknown[] | undefined;
  /** As it is on screen, once the reader has opened something in it that is to stay open. */
  element: HTMLElement | undefined;
}

/** Whether the text of a line comes before its values; that of the others is the values themselves, with tabs between them. */
export function isLabel(kind: Kind): boolean {
  return kind === "error" || kind === "system";
}

/** Whether a line is to be seen; undefined where all are. */
export type Filter = ((line: Line) => boolean) | undefined;

/** How much of a text is on screen at first. The rest is a button away, and always part of what is copied. */
export const CUT = { characters: 10_000, rows: 200 } as const;

/** A block is full when it has so much of anything: it is drawn and measured at once, which must stay quick. */
const FULL = { lines: 50, rows: 100, characters: 20_000 } as const;
/** The texts of all lines, in UTF-16 code units. */
const MOST_CHARACTERS = 32_000_000;
/** The parts of all values: about as many objects and bytes as a page can hold beside everything else. */
const MOST_PARTS = 1_000_000;

/** Lines that follow each other, with what the view knows of them. */
export class Block {
  /** Blocks are counted up, from 0. */
  readonly number: number;
  readonly lines: Line[] = [];
  /** How many rows the texts have by themselves. */
  rows = 0;
  characters = 0;
  parts = 0;

  /** Where it begins, as drawn last. */
  top = Number.POSITIVE_INFINITY;
  /** How tall it is, as measured last; undefined when that may have changed while it was not on screen. */
  measured: number | undefined;
  element: HTMLElement | undefined;
  /** How many of the lines to be seen are in the element. */
  drawn = 0;

  #filter: Filter;
  /** How many lines were asked whether they are to be seen. */
  #asked = 0;
  #passed: Line[] = [];
  #estimated: { readonly columns: number; readonly count: number; readonly rows: number } | undefined;

  constructor(number: number) {
    this.number = number;
  }

  /** Whether {@link apply} has something to do. */
  isStale(filter: Filter): boolean {
    return this.#filter !== filter || (filter !== undefined && this.#asked < this.lines.length);
  }

  /** Finds the lines that are to be seen. */
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

  /** The lines that are to be seen, as far as is known. */
  get shown(): readonly Line[] {
    return this.#filter === undefined ? this.lines : this.#passed;
  }

  /**
   * How many rows it probably takes on screen.
   *
   * @param columns how many characters fit into a row before the text goes on in the next one
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
 * The newest lines. When there are too many of them, or they take too much memory, the oldest block goes.
 */
export class Lines {
  /** Oldest first, numbered without a gap. */
  readonly blocks: Block[] = [];
  /** How many rows of text are kept. */
  count = 0;
  /** How many are not any more. */
  dropped = 0;
  readonly #most: number;
  readonly #linesOfBlock: number;
  #characters = 0;
  #parts = 0;
  /** The number of the first block that may still have values. */
  #firstWithValues = 0;

  constructor(most: number) {
    this.#most = most;
    // A small number of lines is not to go at once.
    this.#linesOfBlock = Math.max(1, Math.min(FULL.lines, Math.floor(most / 20)));
  }

  push({ kind, text, time, values, after }: Omit<Line, "element"> & { values: readonly unknown[] }): void {
    // Of a text that comes before its values they are a part, however small.
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

  /** The block that the next line belongs to. */
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
    while (this.blocks.length > 1 && (this.count > this.#most || this.#characters > MOST_CHARACTERS)) {
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
    // The values of the newest line stay, however many parts they have.
    while (this.#parts > MOST_PARTS && this.#firstWithValues - first < this.blocks.length - 1) {
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

/** How many rows a text has, though not more than a number. */
function rowsOf(text: string, most: number): number {
  let rows = 1;
  for (let at = text.indexOf("\n"); at >= 0 && rows < most; at = text.indexOf("\n", at + 1)) {
    rows += 1;
  }
  return rows;
}

/** How many rows a text probably takes on screen, where the wide ones are wrapped. */
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
