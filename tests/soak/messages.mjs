// What the server of the soak says, and how both sides tell that nothing of it was lost: each message has a number, counted
// from 1 on each connection and each way, and a checksum, which depends on the connection, the number and the direction too.
//
// As text: `NUMBER:CHECKSUM:BODY`. As binary: two 32-bit numbers, little-endian, and the body. The first byte of the body is
// its kind.

/** The kinds of messages, as script.luau has them. */
export const Kind = {
  data: ".",
  /** I say no more, and will close once you have said that you say no more either. */
  goodbye: "?",
  /** Neither do I. */
  farewell: "!",
};

export const Direction = { toServer: 1, toClient: 2 };

/**
 * Random numbers that are the same for the same seed and connection.
 *
 * @param {number} seed
 * @param {number} id
 */
export function randomOf(seed, id) {
  let state = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(id + 1, 0x85ebca6b)) >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    /** A whole number from `low` to `high`, both among them. */
    between: (/** @type {number} */ low, /** @type {number} */ high) =>
      low + Math.floor(next() * (high - low + 1)),
    /** Whether something of this probability happens. */
    chance: (/** @type {number} */ probability) => next() < probability,
    /**
     * One of them.
     *
     * @template T
     * @param {readonly T[]} list
     */
    oneOf: (list) => /** @type {T} */ (list[Math.floor(next() * list.length)]),
  };
}

/** @typedef {ReturnType<typeof randomOf>} Random */

/** Adler's sums, which begin with where the message belongs instead of 1 and 0. */
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
 * What came from a client, taken apart.
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

/** Whole characters of one to four bytes, among them the one that ends strings in C. */
const TEXTS = ["a", "\0", "ü", "日本", "🙂 "];

/**
 * A body of random contents and length: mostly short, now and then long.
 *
 * @param {Random} random
 * @param {boolean} isBinary
 */
export function someBody(random, isBinary) {
  const rank = random.between(1, 100);
  const most = rank <= 80 ? 200 : rank <= 95 ? 4_096 : rank <= 99 ? 16_384 : 100_000;
  const length = random.between(0, most);
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
