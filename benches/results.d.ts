import type { Start } from "./start.mjs";
import type { Table } from "./vm.mjs";

type Samples = Record<string, number[]>;

/** The results of a run. A section that was not requested is missing. */
export interface Results {
  /** The date of the run. */
  date: string;
  rounds: number;
  /** The machine, and the versions of all contenders. */
  machine: string;
  versions: Record<string, string>;
  /** Milliseconds per call of each workload. */
  vm?: Table;
  /** Milliseconds per call in a page, for ours with time slices `on` and `off`. */
  slices?: Table;
  start?: Record<string, Start>;
  /** Microseconds per message, for `ours` and `plain` JavaScript. */
  sockets?: Record<string, Samples>;
  /** Microseconds per synthetic message, by the number of handlers. */
  layer?: Record<string, Samples>;
  /** Microseconds per operation. */
  runtime?: { samples: Record<string, Samples>; failures: Record<string, Record<string, string>> };
  /** Bytes per sleeping thread. */
  bytes?: { counted: number; growth: number };
}
