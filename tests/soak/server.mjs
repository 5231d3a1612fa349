// The server of the soak test: talks on every connection, and disturbs it as servers, proxies and networks do.
//
// The events of a connection depend only on the seed and its number; their timing also depends on the machine. It
// listens at several ports, because a browser opens the WebSockets to an address one at a time.

import { once } from "node:events";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocketServer } from "ws";
import { decode, encode, Kind, randomBody, seededRandom } from "./messages.mjs";

/** @typedef {import("node:net").Socket} Stream */
/** @typedef {import("./messages.mjs").Random} Random */

/**
 * A connection as the server saw it.
 *
 * @typedef {object} ServerRecord
 * @property {number} id
 * @property {number} sent
 * @property {number} received
 * @property {boolean} hasClientEnded true if the client announced that it sends no more
 * @property {{ code: number, reason: string } | undefined} closedWith what the server closed it with; 1005 is no code
 * @property {boolean} isBroken true if the server broke the connection
 * @property {number} code
 * @property {string} reason
 * @property {string[]} complaints
 */

/** The failures before there is a connection, with their probabilities. */
const FAILURES = /** @type {const} */ ([
  ["handshake refused", 0.02],
  ["handshake reset", 0.02],
  ["handshake cut off", 0.02],
  ["handshake slow", 0.01],
  ["handshake never answered", 0.005],
]);

/** The disturbances of a connection; `ENDS` end it. */
const DISTURBANCES = /** @type {const} */ (["stall", "burst", "fragments", "pings"]);
const ENDS = /** @type {const} */ ([
  "reset",
  "end without a close",
  "half-close",
  "broken frame",
  "close",
  "close after a goodbye",
  "burst and close",
  "burst and reset",
]);

/** The recipient sees a close without a code as 1005 (RFC 6455, section 7.1.5). */
const NO_CODE = 1005;
const CODES = [NO_CODE, 1000, 1001, 1008, 1011, 1012, 1013, 3000, 4000, 4321, 4999];

const PORTS = 16;

/**
 * A deliberate fault of the server, to check that it is noticed.
 *
 * @typedef {"lose" | "double" | "swap" | "change"} Sabotage
 */

/**
 * @param {{ seed: number, onEnd: (record: ServerRecord) => void, sabotage?: Sabotage | undefined }} options `onEnd` is
 * called with each finished connection
 */
export async function startSoakServer({ seed, onEnd, sabotage }) {
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  /** @type {Map<string, number>} */
  const faults = new Map();
  const count = (/** @type {string} */ fault) => faults.set(fault, (faults.get(fault) ?? 0) + 1);
  /** @type {Set<Session>} */
  const sessions = new Set();

  /** @type {Awaited<ReturnType<typeof listen>>[]} */
  const listeners = [];
  for (let number = 0; number < PORTS; number++) {
    listeners.push(await listen());
  }

  /** Listens at a port, and again at the same port after a pause. */
  async function listen() {
    /** @type {Set<Stream>} */
    const streams = new Set();
    const http = createServer((_, response) => response.writeHead(404).end());
    http.on("connection", (stream) => {
      streams.add(stream);
      stream.on("close", () => streams.delete(stream));
      // A peer that leaves, gracefully or not.
      stream.on("end", () => stream.end());
      stream.on("error", () => stream.destroy());
    });
    http.on("upgrade", (request, stream, head) => upgrade(request, /** @type {Stream} */ (stream), head));
    const open = async (/** @type {number} */ port) => {
      http.listen(port, "127.0.0.1");
      await once(http, "listening");
    };
    await open(0);
    const { port } = /** @type {import("node:net").AddressInfo} */ (http.address());

    const close = async (/** @type {Random} */ random) => {
      const isClosed = new Promise((resolve) => http.close(resolve));
      for (const stream of streams) {
        // A process that ends resets connections with unread data, and closes the rest.
        random.chance(0.5) ? stream.resetAndDestroy() : stream.destroy();
      }
      // A stream that never reports its close would block this, because no other event ends it.
      await Promise.race([isClosed, sleep(2_000)]);
    };
    return { port, streams, close, open: () => open(port) };
  }

  /**
   * @param {import("node:http").IncomingMessage} request
   * @param {Stream} stream
   * @param {Buffer} head
   */
  async function upgrade(request, stream, head) {
    const id = Number(new URL(request.url ?? "/", "http://localhost").searchParams.get("id"));
    const random = seededRandom(seed, id);
    const failure = FAILURES.find(([, probability]) => random.chance(probability))?.[0];
    if (failure !== undefined) {
      count(failure);
    }
    switch (failure) {
      case "handshake refused":
        stream.end("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        return;
      case "handshake reset":
        stream.resetAndDestroy();
        return;
      case "handshake cut off":
        stream.end("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConn");
        return;
      case "handshake never answered":
        // Read, because only then the end of the other side is noticed.
        stream.resume();
        return;
      case "handshake slow":
        await sleep(random.between(100, 1_000));
        if (stream.destroyed) {
          return;
        }
    }
    sockets.handleUpgrade(request, stream, head, (socket) => {
      const session = new Session(id, random, socket, stream, {
        count,
        onEnd: (record) => {
          sessions.delete(session);
          onEnd(record);
        },
        sabotage,
      });
      sessions.add(session);
      session.live();
    });
  }

  const over = new AbortController();
  /** Restarts the server now and then: one port, or all. */
  const restarts = (async () => {
    const random = seededRandom(seed, 0);
    for (let number = 1; ; number++) {
      await rest(random.between(4_000, 15_000), over.signal);
      if (over.signal.aborted) {
        return;
      }
      const all = number % 4 === 0;
      const some = all ? listeners : [random.oneOf(listeners)];
      count(all ? "restart of all" : "restart of a port");
      await Promise.all(some.map((listener) => listener.close(random)));
      await sleep(random.between(100, 1_500));
      await Promise.all(some.map((listener) => listener.open()));
    }
  })();

  return {
    ports: listeners.map(({ port }) => port),
    faults,
    connections: () =>
      listeners.flatMap(({ streams }) => [...streams]).filter(({ destroyed }) => !destroyed).length,
    /** Describes what is left, for diagnosis. */
    unfinished: () => [...sessions].map((session) => session.state()),
    close: async () => {
      over.abort();
      await restarts;
      await Promise.all(listeners.map((listener) => listener.close(seededRandom(seed, 0))));
      for (const session of sessions) {
        session.stop();
      }
    },
  };
}

/** A connection, from the answer to the handshake to its end. */
class Session {
  /** @type {ServerRecord} */
  record;
  #isHeld = false;
  /** The disturbances so far, in order. */
  #faults = /** @type {string[]} */ ([]);
  /** Aborted when there is nothing left to wait for. */
  #closed = new AbortController();
  #clientEnded = new AbortController();
  #saysNoMore = false;

  /**
   * @param {number} id
   * @param {Random} random
   * @param {import("ws").WebSocket} socket
   * @param {Stream} stream
   * @param {{ count: (fault: string) => void, onEnd: (record: ServerRecord) => void, sabotage?: Sabotage | undefined }} host
   */
  constructor(id, random, socket, stream, host) {
    this.id = id;
    this.random = random;
    this.socket = socket;
    this.stream = stream;
    this.host = host;
    const [closedWith, isBroken, code, reason, hasClientEnded] = [undefined, false, 0, "", false];
    this.record = {
      id,
      sent: 0,
      received: 0,
      hasClientEnded,
      closedWith,
      isBroken,
      code,
      reason,
      complaints: [],
    };
  }

  get #isOpen() {
    // Both are checked: waiting with an aborted signal returns at once, so the loop would spin.
    return !this.#closed.signal.aborted && this.socket.readyState === this.socket.OPEN;
  }

  state() {
    const { readyState, isPaused } = this.socket;
    const { destroyed, readableEnded, writableEnded, readableLength } = this.stream;
    const stream = {
      destroyed,
      readableEnded,
      writableEnded,
      readableLength,
      isPaused: this.stream.isPaused(),
    };
    return { ...this.record, faults: this.#faults, readyState, isPaused, stream };
  }

  live() {
    const { socket } = this;
    socket.on("message", (data, isBinary) => this.#take(/** @type {Buffer} */ (data), isBinary));
    socket.on("error", (error) => this.#complain(`the server saw ${error}`));
    socket.on("close", (code, reason) => this.#end(code, String(reason)));
    // After a half-close, Node 20 may stop at the error, destroy the stream, and never report its close.
    this.stream.once("error", () => setTimeout(() => this.#end(1006, ""), 1_000));
    this.#talk();
    this.#disturb();
  }

  /** Stops all activity and reports nothing more. */
  stop() {
    this.#closed.abort();
    this.#clientEnded.abort();
  }

  #end(/** @type {number} */ code, /** @type {string} */ reason) {
    if (!this.#closed.signal.aborted) {
      this.stop();
      this.host.onEnd({ ...this.record, code, reason });
    }
  }

  async #talk() {
    const { random } = this;
    // The first ones arrive with the answer to the handshake, before any script can listen.
    this.#sendSome(random.between(0, 5));
    while (this.#isOpen) {
      await rest(random.between(100, 800), this.#closed.signal);
      if (!this.#isHeld) {
        this.#sendSome(1);
      }
    }
  }

  async #disturb() {
    const { random } = this;
    for (let more = random.between(0, 3); more > 0 && this.#isOpen; more--) {
      await rest(random.between(100, 8_000), this.#closed.signal);
      if (this.#isOpen) {
        await this.#do(random.oneOf(DISTURBANCES));
      }
    }
    if (random.chance(0.6)) {
      await rest(random.between(0, 15_000), this.#closed.signal);
      if (this.#isOpen) {
        await this.#do(random.oneOf(ENDS));
      }
    }
  }

  /** @param {(typeof DISTURBANCES)[number] | (typeof ENDS)[number]} fault */
  async #do(fault) {
    const { socket, stream, random } = this;
    this.host.count(fault);
    this.#faults.push(fault);
    switch (fault) {
      case "stall":
        this.#isHeld = true;
        socket.pause();
        await sleep(random.between(200, 2_500));
        socket.resume();
        this.#isHeld = false;
        return;
      case "burst":
        this.#sendSome(random.between(50, 400));
        return;
      case "fragments":
        this.#send(randomBody(random, false), false, random.between(2, 9));
        return;
      case "pings":
        for (let number = 0; number < 20 && this.#isOpen; number++) {
          socket.ping(String(number));
        }
        return;
      case "close":
        return this.#close();
      case "close after a goodbye":
        this.#sendLast(Kind.goodbye);
        await rest(5_000, this.#clientEnded.signal);
        return this.#close();
      case "burst and close":
        this.#sendSome(random.between(50, 400));
        return this.#close();
    }
    this.record.isBroken = true;
    switch (fault) {
      case "burst and reset":
        this.#sendSome(random.between(50, 400));
        stream.resetAndDestroy();
        return;
      case "reset":
        stream.resetAndDestroy();
        return;
      case "end without a close":
        stream.destroy();
        return;
      case "half-close":
        // It still reads incoming data.
        stream.end();
        return;
      case "broken frame":
        // An opcode that does not exist (RFC 6455, section 5.2).
        stream.write(Buffer.from([0x83, 0x00]));
        return;
      default:
        throw new Error(`nobody knows how to do: ${fault}`);
    }
  }

  #close() {
    if (!this.#isOpen) {
      return;
    }
    const code = this.random.oneOf(CODES);
    if (code === NO_CODE) {
      this.record.closedWith = { code, reason: "" };
      this.socket.close();
    } else {
      this.record.closedWith = { code, reason: `server ${this.id} – schluß` };
      this.socket.close(code, this.record.closedWith.reason);
    }
  }

  #sendSome(/** @type {number} */ count) {
    for (let number = 0; number < count; number++) {
      const isBinary = this.random.chance(0.5);
      this.#send(randomBody(this.random, isBinary), isBinary);
    }
  }

  #sendLast(/** @type {string} */ kind) {
    this.#send(Buffer.from(kind), false);
    this.#saysNoMore = true;
  }

  #send(/** @type {Buffer} */ body, /** @type {boolean} */ isBinary, fragments = 1) {
    if (this.#saysNoMore || !this.#isOpen) {
      return;
    }
    const number = ++this.record.sent;
    const data = encode(this.id, number, body, isBinary);
    const { sabotage } = this.host;
    if (sabotage !== undefined && this.record.sent > 1) {
      this.#spoil(sabotage, number, data, isBinary);
      return;
    }
    const length = Math.ceil(data.length / fragments);
    for (let at = 0; at < data.length; at += length) {
      const fin = at + length >= data.length;
      this.socket.send(data.subarray(at, at + length), { binary: isBinary, fin });
    }
  }

  /** @type {[Buffer, boolean] | undefined} */
  #kept;

  /**
   * @param {Sabotage} sabotage
   * @param {number} number
   * @param {Buffer} data
   * @param {boolean} isBinary
   */
  #spoil(sabotage, number, data, isBinary) {
    const put = (/** @type {Buffer} */ data, binary = isBinary) => this.socket.send(data, { binary });
    switch (sabotage) {
      case "lose":
        return number % 2 === 0 ? undefined : put(data);
      case "double":
        put(data);
        return put(data);
      case "swap":
        if (this.#kept === undefined) {
          this.#kept = [data, isBinary];
          return;
        }
        put(data);
        put(...this.#kept);
        this.#kept = undefined;
        return;
      case "change":
        // Changes the last byte: the text is still UTF-8, and of the same kind if that is the whole body.
        data[data.length - 1] = /** @type {number} */ (data.at(-1)) ^ 1;
        put(data);
    }
  }

  #take(/** @type {Buffer} */ data, /** @type {boolean} */ isBinary) {
    const { record } = this;
    const { number, isIntact, kind } = decode(this.id, data, isBinary);
    if (number !== record.received + 1) {
      this.#complain(`after message ${record.received} to the server came ${number}`);
    }
    if (!isIntact) {
      this.#complain(`message ${number} to the server differs from what was sent`);
    }
    record.received = number;
    if (kind !== Kind.data) {
      record.hasClientEnded = true;
      this.#clientEnded.abort();
      if (kind === Kind.goodbye) {
        this.#sendLast(Kind.farewell);
      }
    }
  }

  #complain(/** @type {string} */ text) {
    if (this.record.complaints.length < 5) {
      this.record.complaints.push(text);
    }
  }
}

/** Waits for a time in milliseconds, or until the signal is aborted. */
async function rest(/** @type {number} */ milliseconds, /** @type {AbortSignal} */ signal) {
  await sleep(milliseconds, undefined, { signal }).catch(() => {});
}
