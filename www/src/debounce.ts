import { track } from "./pending.js";

/** The functions that cancel pending calls of {@link debounce}, by name. */
const cancels = new Map<string, () => void>();

/** Calls a function after a delay. Another request with the same name restarts the delay. */
export function debounce(name: string, milliseconds: number, call: () => Promise<void>): void {
  cancels.get(name)?.();
  const task = () =>
    new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => call().then(resolve, reject), milliseconds);
      cancels.set(name, () => {
        clearTimeout(timer);
        resolve();
      });
    });
  void track(name, task);
}
