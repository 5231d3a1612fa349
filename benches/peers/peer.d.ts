/** A VM with a loaded workload. */
export interface Loaded {
  /** Calls the workload's global function `bench` with a number, and returns its result. */
  run(count: number): unknown;
  close(): void;
}

/** The function that each peer exports as `load`. It creates a VM and runs a source in it, which defines `bench`. */
export type Load = (source: string, options?: { timeSlice?: number }) => Promise<Loaded>;
