// Calls with little of the JS stack left.

/**
 * Fills the stack, and calls a function from the frame that is so many above the one that overflowed. Returns the number of frames.
 *
 * Nothing is measured in advance: the engine changes the size of a frame when it compiles the function.
 *
 * @param {number} distance in frames
 * @param {() => void} call
 */
function fill(distance, call) {
  let frames = 0;
  let isCalled = false;
  const dive = () => {
    try {
      dive();
    } catch (error) {
      if (isCalled) {
        throw error;
      }
    }
    if (frames++ === distance) {
      isCalled = true;
      call();
    }
  };
  dive();
  return frames;
}

/**
 * Calls a function so many frames before the stack ends. It has to have been called before, since V8 compiles nothing there.
 *
 * @template T
 * @param {number} distance
 * @param {() => T} call
 * @returns {T}
 */
export function nearTheEnd(distance, call) {
  /** @type {T | undefined} */
  let result;
  fill(distance, () => {
    result = call();
  });
  return /** @type {T} */ (result);
}

// Near the end of the stack V8 does not compile what was never called.
nearTheEnd(1_000, () => {});

/** For {@link nearTheEnd}: each of the last frames, and then fewer and fewer of those before, as far as the stack has any. */
export function* distances() {
  const end = fill(Number.POSITIVE_INFINITY, () => {});
  for (let distance = 0; distance < end; distance += 1 + (distance >> 3)) {
    yield distance;
  }
}
