// Two ends of a wire without a worker between them: packets go through the algorithm that clones messages.

import fc from "fast-check";
import { buffersOf, Wire } from "../../pkg/wire.js";

/** @typedef {ReturnType<Wire["encode"]>} Packet */

/** Two ends, whose packets go through the same as messages do. */
export function ends() {
  /**
   * @param {() => [Wire, Wire]} both itself and the other one
   * @param {boolean} isShown
   */
  const end = (both, isShown) =>
    new Wire({
      async call(id, args) {
        const [self, other] = both();
        const called = /** @type {(...args: unknown[]) => unknown} */ (other.exported(id));
        return sent(other, self, await called(...sent(self, other, args)));
      },
      released: (id, count) => both()[1].release(id, count),
      isShown,
    });
  /** @type {Wire} */
  const page = end(() => [page, worker], false);
  /** @type {Wire} */
  const worker = end(() => [worker, page], true);
  return { page, worker };
}

/**
 * @param {Packet} packet
 * @returns {Packet}
 */
export const posted = (packet) => structuredClone(packet, { transfer: buffersOf(packet) });

/**
 * What arrives of a value.
 *
 * @param {Wire} from
 * @param {Wire} to
 * @param {unknown} value
 * @returns {any}
 */
export const sent = (from, to, value) => to.decode(posted(from.encode([value])))[0];

/**
 * What comes back of a value of the page.
 *
 * @param {unknown} value
 */
export function returned(value, { page, worker } = ends()) {
  return sent(worker, page, sent(page, worker, value));
}

/** What neither side can look into. */
export class Opaque {}

/** Values of all kinds. */
export const anything = fc.anything({
  key: fc.oneof(
    fc.string(),
    fc.constantFrom("__proto__", "constructor", "toString", "then", "ref", "type", "id"),
  ),
  values: [
    fc.boolean(),
    fc.double(),
    fc.string({ unit: "binary" }),
    fc.bigInt(),
    fc.constantFrom(undefined, null, -0, "", "__proto__"),
    fc.constantFrom(
      Symbol("symbol"),
      new Opaque(),
      new Date(0),
      /x/,
      new Set([1]),
      new Error("error"),
      class {},
      () => 1,
    ),
  ],
  withMap: true,
  withNullPrototype: true,
  withSparseArray: true,
  withTypedArray: true,
  maxDepth: 4,
});
