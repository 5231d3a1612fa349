/** The first byte of a request record: its tag. A reply has the same tag with the highest bit set. */
const ECHO = 1;
const SUM = 2;
const REVERSE = 3;
const TIME = 4;
const REPLY = 0x80;
/** The tag of a reply that reports an error. Its payload is the message, in UTF-8. */
const FAILED = 0xff;

/** The length of the header before each payload, in bytes. */
const HEADER = 7;

/**
 * A calculator that speaks a binary protocol. Each message contains one or more records; the replies to them come in
 * one message. A record is little-endian, like Luau's `buffer`:
 *
 * | bytes | content |
 * |---|---|
 * | 1 | the tag: 1 echoes, 2 adds numbers of 8 bytes each (f64), 3 reverses the bytes, 4 returns the time in seconds since 1970 (f64) |
 * | 2 | an ID that the client chooses and the reply repeats |
 * | 4 | the length of the payload |
 * | n | the payload |
 *
 * @type {import("./services.js").Service}
 */
export function binary({ send, close, onMessage }) {
  onMessage((data) => {
    if (typeof data === "string") {
      close(1003, "binary messages only");
      return;
    }
    const replies = [];
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    for (let at = 0; at < data.length; ) {
      const length = at + HEADER <= data.length ? view.getUint32(at + 3, true) : 0;
      if (at + HEADER + length > data.length) {
        close(1007, "truncated record");
        return;
      }
      const payload = data.subarray(at + HEADER, at + HEADER + length);
      replies.push(reply(view.getUint8(at), view.getUint16(at + 1, true), payload));
      at += HEADER + length;
    }
    send(joined(replies));
  });
}

/** @param {number} tag @param {number} id @param {Uint8Array} payload */
function reply(tag, id, payload) {
  switch (tag) {
    case ECHO:
      return record(tag | REPLY, id, payload);
    case SUM: {
      if (payload.length % 8 !== 0) {
        return failure(id, "the payload must consist of 8-byte numbers");
      }
      const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
      let sum = 0;
      for (let at = 0; at < payload.length; at += 8) {
        sum += view.getFloat64(at, true);
      }
      return record(tag | REPLY, id, numberBytes(sum));
    }
    case REVERSE:
      return record(tag | REPLY, id, payload.slice().reverse());
    case TIME:
      return record(tag | REPLY, id, numberBytes(Date.now() / 1_000));
    default:
      return failure(id, `unknown tag ${tag}`);
  }
}

/** @param {number} id @param {string} message */
function failure(id, message) {
  return record(FAILED, id, new TextEncoder().encode(message));
}

/** @param {number} tag @param {number} id @param {Uint8Array} payload */
function record(tag, id, payload) {
  const bytes = new Uint8Array(HEADER + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, tag);
  view.setUint16(1, id, true);
  view.setUint32(3, payload.length, true);
  bytes.set(payload, HEADER);
  return bytes;
}

/** @param {number} number */
function numberBytes(number) {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, number, true);
  return bytes;
}

/** @param {readonly Uint8Array[]} parts */
function joined(parts) {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
