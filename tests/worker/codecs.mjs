// Two ends of a codec without a worker in between. Packets are cloned by the algorithm for messages.

import fc from "fast-check";
import { Codec } from "../../pkg/worker/codec.js";
import { buffersOf } from "../../pkg/worker/packet.js";

/** @typedef {ReturnType<Codec["encode"]>} Packet */

/** Creates two ends, whose packets are cloned like messages. */
export function ends() {
  /**
   * @param {() => [Codec, Codec]} both this end and the other one
   * @param {boolean} isShown
   */
  const end = (both, isShown) =>
    new Codec({
      async call(id, args) {
        const [self, other] = both();
        const called = /** @type {(...args: unknown[]) => unknown} */ (other.exported(id));
        return sent(other, self, await called(...sent(self, other, args)));
      },
      released: (id, count) => both()[1].release(id, count),
      isShown,
    });
  /** @type {Codec} */
  const page = end(() => [page, worker], false);
  /** @type {Codec} */
  const worker = end(() => [worker, page], true);
  return { page, worker };
}

/**
 * @param {Packet} packet
 * @returns {Packet}
 */
export const posted = (packet) => structuredClone(packet, { transfer: buffersOf(packet) });

/**
 * Sends a value and returns what arrives.
 *
 * @param {Codec} from
 * @param {Codec} to
 * @param {unknown} value
 * @returns {any}
 */
export const sent = (from, to, value) => to.decode(posted(from.encode([value])))[0];

/**
 * Sends a value of the page to the worker and back, and returns what arrives.
 *
 * @param {unknown} value
 */
export function returned(value, { page, worker } = ends()) {
  return sent(worker, page, sent(page, worker, value));
}

/** An object that neither side can look into. */
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
