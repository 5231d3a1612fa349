/** The ratios of the last full run, for the tests: recorded.json. */
export interface Recorded {
  /** By the workloads: ours relative to wasmoon. */
  vm: Record<string, number>;
  /** The geometric mean over the workloads: with time slices relative to without. */
  slices: number;
  /** What the runtime does with threads, relative to what the threads alone cost; and what crosses, relative to wasmoon. */
  runtime: Record<string, number>;
  /** From the import to the first result, relative to wasmoon. */
  start: number;
  /** Ours relative to plain JavaScript. */
  sockets: Record<string, number>;
  /** The same, by the number of handlers. */
  layer: Record<string, number>;
}
