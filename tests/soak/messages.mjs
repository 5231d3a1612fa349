// The messages of the soak test, in a form that lets both sides detect losses: each message has a number, counted from 1
// on each connection and direction, and a checksum, which also depends on the connection, the number and the direction.
//
// As text: `NUMBER:CHECKSUM:BODY`. As binary: two 32-bit numbers, little-endian, and the body. The first byte of the
// body is its kind.

/** The kinds of messages, as in script.luau. */
export const Kind = {
  data: ".",
  /** The sender sends no more, and closes once the other side has announced the same. */
  goodbye: "?",
  /** The answer to a goodbye: this side sends no more either. */
  farewell: "!",
};

export const Direction = { toServer: 1, toClient: 2 };

/**
 * Returns a source of random choices, which the seed and the connection determine.
 *
 * @param {number} seed
 * @param {number} id
 */
export function seededRandom(seed, id) {
  let state = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(id + 1, 0x85ebca6b)) >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    /** Returns an integer from `low` to `high`, inclusive. */
    between: (/** @type {number} */ low, /** @type {number} */ high) =>
      low + Math.floor(next() * (high - low + 1)),
    /** Returns true with a given probability. */
    chance: (/** @type {number} */ probability) => next() < probability,
    /**
     * Picks an item.
     *
     * @template T
     * @param {readonly T[]} list
     */
    oneOf: (list) => /** @type {T} */ (list[Math.floor(next() * list.length)]),
  };
}

/** @typedef {ReturnType<typeof seededRandom>} Random */

/** Computes an Adler-32 checksum that starts with the message's direction, connection and number instead of 1 and 0. */
function checksum(
  /** @type {number} */ direction,
  /** @type {number} */ id,
  /** @type {number} */ number,
  /** @type {Buffer} */ body,
) {
  let low = (direction + id * 31 + number * 7) % 65_521;
  let high = number % 65_521;
  for (let at = 0; at < body.length; at++) {
    low = (low + /** @type {number} */ (body[at])) % 65_521;
    high = (high + low) % 65_521;
  }
  return high * 65_536 + low;
}

/**
 * @param {number} id
 * @param {number} number
 * @param {Buffer} body
 * @param {boolean} isBinary
 */
export function encode(id, number, body, isBinary) {
  const sum = checksum(Direction.toClient, id, number, body);
  if (!isBinary) {
    return Buffer.concat([Buffer.from(`${number}:${sum}:`), body]);
  }
  const head = Buffer.alloc(8);
  head.writeUInt32LE(number, 0);
  head.writeUInt32LE(sum, 4);
  return Buffer.concat([head, body]);
}

/**
 * Parses a message from a client.
 *
 * @param {number} id
 * @param {Buffer} data
 * @param {boolean} isBinary
 * @returns {{ number: number, isIntact: boolean, kind: string }}
 */
export function decode(id, data, isBinary) {
  let [number, sum, start] = [0, 0, 8];
  if (isBinary) {
    [number, sum] = [data.readUInt32LE(0), data.readUInt32LE(4)];
  } else {
    const first = data.indexOf(":");
    const second = data.indexOf(":", first + 1);
    [number, sum] = [
      Number(data.toString("latin1", 0, first)),
      Number(data.toString("latin1", first + 1, second)),
    ];
    start = second + 1;
  }
  const body = data.subarray(start);
  const isIntact = checksum(Direction.toServer, id, number, body) === sum;
  return { number, isIntact, kind: body.toString("latin1", 0, 1) };
}

/** Whole characters of one to four bytes, including NUL, which ends strings in C. */
const TEXTS = ["a", "\0", "ü", "日本", "🙂 "];

/**
 * Returns a body with random contents and length: usually short, sometimes long.
 *
 * @param {Random} random
 * @param {boolean} isBinary
 */
export function randomBody(random, isBinary) {
  const rank = random.between(1, 100);
  const maxLength = rank <= 80 ? 200 : rank <= 95 ? 4_096 : rank <= 99 ? 16_384 : 100_000;
  const length = random.between(0, maxLength);
  if (!isBinary) {
    const text = random.oneOf(TEXTS);
    return Buffer.from(Kind.data + text.repeat(length / Buffer.byteLength(text)));
  }
  const body = Buffer.alloc(1 + length, Kind.data);
  for (let at = 1; at < body.length; at += 1 + (length >> 6)) {
    body[at] = random.between(0, 255);
  }
  return body;
}
