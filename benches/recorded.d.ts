/** The ratios of the last full run, for the tests: recorded.json. */
export interface Recorded {
  /** Ours relative to wasmoon, by workload. */
  vm: Record<string, number>;
  /** The geometric mean over the workloads, with time slices relative to without. */
  slices: number;
  /** The runtime's operations with threads relative to the threads alone, and conversions relative to wasmoon. */
  runtime: Record<string, number>;
  /** The time from the import to the first result, relative to wasmoon. */
  start: number;
  /** Ours relative to plain JavaScript. */
  sockets: Record<string, number>;
  /** Ours relative to plain JavaScript, by the number of handlers. */
  layer: Record<string, number>;
}
