/** A VM with a workload in it. */
export interface Loaded {
  /** Calls the global function `bench` of the workload with a number; what it returns. */
  run(count: number): unknown;
  close(): void;
}

/** What each peer exports as `load`: makes a VM and runs a source in it, which defines `bench`. */
export type Load = (source: string, options?: { timeSlice?: number }) => Promise<Loaded>;
