import { LuauError } from "./errors.js";

/** The kinds of errors that the host caused itself, so they are not reported. */
const EXPECTED_KINDS: readonly string[] = ["cancelled", "disposed"];

const isObserved = Symbol();

/** The promise of a call of a script's function. */
interface CallPromise extends Promise<unknown[]> {
  [isObserved]?: boolean;
}

/**
 * Records that a promise is awaited: `await`, `then` and the functions of `Promise` first read its `constructor`. A
 * `then` of its own would cost an `await` another promise, and would only be called if the constructor differed as
 * well.
 */
const prototype = Object.create(Promise.prototype, {
  constructor: {
    get(this: CallPromise) {
      this[isObserved] = true;
      return Promise;
    },
  },
});

/** Makes a promise record if anything awaits it. */
export function callPromise(promise: Promise<unknown[]>): Promise<unknown[]> {
  return Object.setPrototypeOf(promise, prototype);
}

/**
 * Must be called before a {@link callPromise} is rejected. If nothing awaits it by the next macrotask, `onError` gets
 * the error once, and no `unhandledrejection` follows. Errors of kind `cancelled` and `disposed` are not reported.
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
  // The `then` above marked it as observed, but it is not an observer.
  promise[isObserved] = false;
  // The caller may await it in a later microtask.
  setTimeout(() => {
    if (!promise[isObserved]) {
      onError(error);
    }
  });
}

function isExpected(error: unknown): boolean {
  return error instanceof LuauError && EXPECTED_KINDS.includes(error.kind);
}
