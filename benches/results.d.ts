import type { Start } from "./start.mjs";
import type { Table } from "./vm.mjs";

type Samples = Record<string, number[]>;

/** All that a run measured; a section that was not asked for is not there. */
export interface Results {
  /** The day of the run. */
  date: string;
  rounds: number;
  /** What it ran on, and the versions of all that took part. */
  machine: string;
  versions: Record<string, string>;
  /** Milliseconds of a call of each workload. */
  vm?: Table;
  /** The same in a page, of ours with time slices `on` and `off`. */
  slices?: Table;
  start?: Record<string, Start>;
  /** Microseconds of a message, of `ours` and of `plain` JavaScript. */
  sockets?: Record<string, Samples>;
  /** Microseconds of a synthetic message, by the number of handlers. */
  layer?: Record<string, Samples>;
  /** Microseconds of an operation. */
  runtime?: { samples: Record<string, Samples>; failures: Record<string, Record<string, string>> };
  /** Bytes of a sleeping thread. */
  bytes?: { counted: number; growth: number };
  growth?: Record<string, { count: number; samples: Samples }[]>;
}
