/** A place in a script. */
export interface Place {
  /** The name of the chunk, which is the file name without `.luau`. */
  readonly chunkName: string;
  /** The line, from 1. */
  readonly line: number;
  /** The column in UTF-16 code units, from 1, if it is known. */
  readonly column?: number | undefined;
}

/** A problem in a script, for the editor to show. */
export interface Diagnostic {
  readonly start: Place;
  /** The end, exclusive; the end of the line if it is unknown. */
  readonly end?: Place | undefined;
  readonly severity: "error" | "warning";
  /** The compiler or the type checker. */
  readonly source: "syntax" | "types";
  readonly message: string;
}

/** The kind of a line of output. */
export type Kind = "print" | "warn" | "error" | "system";
