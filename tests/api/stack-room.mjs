// Runs calls with little of the JS stack left.

/**
 * Fills the stack, and calls a function from the frame that is `distance` frames above the one that overflowed. Returns
 * the number of frames.
 *
 * Nothing is measured in advance, because the engine changes the size of a frame when it compiles the function.
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
 * Calls a function `distance` frames before the stack ends. It must have been called before, because V8 compiles nothing there.
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

// Near the end of the stack V8 does not compile functions that were never called.
nearTheEnd(1_000, () => {});

/**
 * Yields distances for {@link nearTheEnd}: each of the last frames, and then fewer and fewer of those before, as far as
 * the stack reaches.
 */
export function* distances() {
  const end = fill(Number.POSITIVE_INFINITY, () => {});
  for (let distance = 0; distance < end; distance += 1 + (distance >> 3)) {
    yield distance;
  }
}
