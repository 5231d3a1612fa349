// Minimizes a failing program so that it still fails in the same way.

/** @typedef {import("./program.mjs").Program} Program */

/** The time limit for minimizing a program, in milliseconds. */
const MAX_TIME_MS = 120_000;

/**
 * Returns the kind of a fault: its text without numbers, which differ between runs.
 *
 * @param {readonly string[]} faults
 */
export function kindOf(faults) {
  return (faults[0] ?? "").split("\n", 1)[0]?.replace(/\d+/g, "N").slice(0, 200) ?? "";
}

/**
 * Removes steps and lines from a program: halves of the lists first, then smaller and smaller groups.
 *
 * @param {Program} program
 * @param {(program: Program) => Promise<boolean>} fails returns true if a smaller program still fails in the same way
 */
export async function minimize(program, fails) {
  const deadline = Date.now() + MAX_TIME_MS;
  const shorten = async (/** @type {any[]} */ list, /** @type {(list: any[]) => Program} */ make) => {
    let kept = list;
    for (let size = Math.ceil(kept.length / 2); size >= 1; size = size > 1 ? Math.ceil(size / 2) : 0) {
      for (let at = 0; at < kept.length && Date.now() < deadline; ) {
        const rest = [...kept.slice(0, at), ...kept.slice(at + size)];
        if (await fails(make(rest))) {
          kept = rest;
        } else {
          at += size;
        }
      }
    }
    return kept;
  };
  let best = program;
  const steps = await shorten(best.steps, (steps) => ({ ...best, steps }));
  best = { ...best, steps };
  for (const [index, step] of best.steps.entries()) {
    if ("lines" in step) {
      const withLines = (/** @type {string[]} */ lines) => ({
        ...best,
        steps: best.steps.map((other, at) => (at === index ? { ...step, lines } : other)),
      });
      best = withLines(await shorten(step.lines, withLines));
    }
  }
  return best;
}
