// The levels of the JavaScript stack, for calls near its end.

/** Returns the number of levels that {@link descend} has left. */
export function measureDepth() {
  let depth = 0;
  const measure = () => {
    depth++;
    measure();
  };
  try {
    measure();
  } catch {}
  return depth;
}

/**
 * Calls a function from inside a number of levels.
 *
 * @param {number} levels
 * @param {() => unknown} call
 * @returns {unknown}
 */
export function descend(levels, call) {
  return levels > 0 ? descend(levels - 1, call) : call();
}
