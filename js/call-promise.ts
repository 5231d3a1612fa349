import { LuauError } from "./errors.js";

/** The host ended these threads itself, and need not be told. */
const EXPECTED_KINDS: readonly string[] = ["cancelled", "disposed"];

const isObserved = Symbol();

/** The promise of a call of a script's function. */
interface CallPromise extends Promise<unknown[]> {
  [isObserved]?: boolean;
}

/**
 * `await`, `then` and the functions of `Promise` look up the constructor of a promise first, so this notes that somebody waits for it. A
 * `then` of its own would cost an `await` another promise, and would not be called at all unless the constructor were another one, too.
 */
const prototype = Object.create(Promise.prototype, {
  constructor: {
    get(this: CallPromise) {
      this[isObserved] = true;
      return Promise;
    },
  },
});

/** Makes a promise note whether anybody waits for it. */
export function callPromise(promise: Promise<unknown[]>): Promise<unknown[]> {
  return Object.setPrototypeOf(promise, prototype);
}

/**
 * Must be called before a {@link callPromise} is rejected. If nobody waits for it by the next macrotask, `onError` gets the error, once, and
 * no `unhandledrejection` follows. Errors of kind `cancelled` and `disposed` are not reported.
 */
export function rejectCallPromise(
  promise: CallPromise,
  error: unknown,
  onError: (error: unknown) => void,
): void {
  if (promise[isObserved]) {
    return;
  }
  promise.then(undefined, () => {});
  if (isExpected(error)) {
    return;
  }
  // The `then` above marked it as observed, but it is no observer.
  promise[isObserved] = false;
  // Whoever calls the function may wait for it in a later microtask.
  setTimeout(() => {
    if (!promise[isObserved]) {
      onError(error);
    }
  });
}

function isExpected(error: unknown): boolean {
  return error instanceof LuauError && EXPECTED_KINDS.includes(error.kind);
}
