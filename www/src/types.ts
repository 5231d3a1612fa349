/** A place in a script. */
export interface Place {
  /** The name of the chunk: that of the file, without `.luau`. */
  readonly chunkName: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 code units, where it is known. */
  readonly column?: number | undefined;
}

/** What is wrong with a script, for the editor to show. */
export interface Diagnostic {
  readonly start: Place;
  /** The first place after it; the end of the line where it is unknown. */
  readonly end?: Place | undefined;
  readonly severity: "error" | "warning";
  /** Who says so: the compiler, or the type checker. */
  readonly source: "syntax" | "types";
  readonly message: string;
}

/** How a line of output is shown. */
export type Kind = "print" | "warn" | "error" | "system";
