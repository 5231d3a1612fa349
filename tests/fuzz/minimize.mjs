// Makes a program that fails smaller, while it fails in the same way.

/** @typedef {import("./program.mjs").Program} Program */

/** How long to try, in milliseconds. */
const MAX_TIME_MS = 120_000;

/**
 * Returns the kind of a fault: its text without the numbers, which differ from one time to the next.
 *
 * @param {readonly string[]} faults
 */
export function kindOf(faults) {
  return (faults[0] ?? "").split("\n", 1)[0]?.replace(/\d+/g, "N").slice(0, 200) ?? "";
}

/**
 * Leaves out steps and lines, halves of them first.
 *
 * @param {Program} program
 * @param {(program: Program) => Promise<boolean>} fails
 */
export async function minimize(program, fails) {
  const deadline = Date.now() + MAX_TIME_MS;
  const shortened = async (/** @type {any[]} */ list, /** @type {(list: any[]) => Program} */ make) => {
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
  const steps = await shortened(best.steps, (steps) => ({ ...best, steps }));
  best = { ...best, steps };
  for (const [index, step] of best.steps.entries()) {
    if ("lines" in step) {
      const withLines = (/** @type {string[]} */ lines) => ({
        ...best,
        steps: best.steps.map((other, at) => (at === index ? { ...step, lines } : other)),
      });
      best = withLines(await shortened(step.lines, withLines));
    }
  }
  return best;
}
