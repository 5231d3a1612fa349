// Measures the longest time without control of the event loop.

/** The interval at which it should have control, in milliseconds. */
const EVERY_MS = 10;

/** Returns the processor time of this Node process, in milliseconds. */
export function cpuTime() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** Processor time is preferred, because a busy machine adds less to it than to wall-clock time. */
const hasCpuTime = typeof process === "object";

/** Watches the event loop. */
export class Turns {
  /** True if a busy machine adds little to the measured times. */
  static areExact = hasCpuTime;
  #longest = 0;
  #wall = performance.now();
  #cpu = hasCpuTime ? cpuTime() : 0;
  #timer = setInterval(() => this.#tick(), EVERY_MS);

  #tick() {
    const [wall, cpu] = [performance.now(), hasCpuTime ? cpuTime() : Number.POSITIVE_INFINITY];
    this.#longest = Math.max(this.#longest, Math.min(wall - this.#wall, cpu - this.#cpu));
    [this.#wall, this.#cpu] = [wall, hasCpuTime ? cpu : 0];
  }

  /** Stops, and returns the longest time without control in milliseconds. */
  stop() {
    this.#tick();
    clearInterval(this.#timer);
    return this.#longest;
  }
}

/** The shortest time that the loop of `slowness` took. @type {number | undefined} */
let fastest;

/** Returns how much slower than at its best this machine is now, by the clock that measures turns. */
export function slowness() {
  const now = hasCpuTime ? cpuTime : () => performance.now();
  const began = now();
  let sum = 0;
  for (let i = 0; i < 2_000_000; i++) {
    sum = (sum * 31 + i) | 0;
  }
  const passed = now() - began + (sum === 1 ? 1e-9 : 0);
  fastest = Math.min(fastest ?? passed, passed);
  return passed / fastest;
}
