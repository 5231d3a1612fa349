import type { SocketEvent } from "luau-websocket";
import { Queue } from "../queue.js";

/** So much is kept of all connections together: frames, and bytes in them. */
const MOST_FRAMES = 10_000;
const MOST_BYTES = 16 * 1024 * 1024;
/** So many connections are kept; those that are open always are. */
const MOST_CONNECTIONS = 500;

/**
 * How a connection stands. `failed` never was open, and of what is `gone` nobody can tell the end: its worker ended before.
 */
export type State = "connecting" | "open" | "closed" | "failed" | "gone";

/** What stands in a timeline: a message, or that the connection has another state now. */
export interface Frame {
  /** From 1, in the order in which all of them came. */
  readonly number: number;
  readonly connection: Connection;
  readonly kind: "sent" | "received" | "state";
  /** When, as `performance.now()` of the page has it. */
  readonly time: number;
  /** The message; or in words what happened. */
  readonly data: string | Uint8Array;
  /** Its length in bytes. */
  readonly size: number;
}

/** Messages in one direction. */
export interface Traffic {
  messages: number;
  bytes: number;
}

/** A connection of the script. */
export interface Connection {
  readonly id: number;
  url: string;
  state: State;
  /** When it was asked for, and when it was over. */
  readonly began: number;
  ended: number | undefined;
  readonly sent: Traffic;
  readonly received: Traffic;
  code: number | undefined;
  /** The reason of the close, as the server or the script gave it; or why it is gone. */
  reason: string;
  /** What is kept of its timeline, and how much is not any more. */
  frames: Queue<Frame>;
  dropped: number;
}

/** Told of what changes. */
export interface RecorderListener {
  added(frame: Frame): void;
  /** The oldest frame of its connection makes room. */
  dropped(frame: Frame): void;
  changed(connection: Connection): void;
  forgotten(connection: Connection): void;
}

/** What happened on the connections of a run, as far as it is kept. */
export class Recorder {
  readonly #listener: RecorderListener;
  readonly #connections = new Map<number, Connection>();
  #frames = new Queue<Frame>();
  #bytes = 0;
  #lastNumber = 0;
  #open = 0;
  #forgotten = 0;

  constructor(listener: RecorderListener) {
    this.#listener = listener;
  }

  /** Those that are kept, the oldest first. */
  get connections(): Iterable<Connection> {
    return this.#connections.values();
  }

  get count(): number {
    return this.#connections.size;
  }

  /** How many are open, or are about to be. */
  get open(): number {
    return this.#open;
  }

  /** How many connections are not kept any more. */
  get forgotten(): number {
    return this.#forgotten;
  }

  handle(event: SocketEvent): void {
    const { id, type, time, data = "", size = 0 } = event;
    const connection = this.#connections.get(id) ?? this.#begin(event);
    switch (type) {
      case "open":
        connection.url = event.url;
        connection.state = "open";
        this.#add(connection, "state", time, `Open after ${Math.round(time - connection.began)} ms`, 0);
        break;
      case "send":
        count(connection.sent, size);
        this.#add(connection, "sent", time, data, size);
        break;
      case "message":
        count(connection.received, size);
        this.#add(connection, "received", time, data, size);
        break;
      case "close":
        connection.code = event.code;
        connection.reason = event.reason ?? "";
        this.#end(connection, connection.state === "connecting" ? "failed" : "closed", time);
        break;
    }
    this.#listener.changed(connection);
  }

  /** All that is open is gone. */
  end(reason: string, time: number): void {
    for (const connection of this.#connections.values()) {
      if (connection.ended === undefined) {
        connection.reason = reason;
        this.#end(connection, "gone", time);
        this.#listener.changed(connection);
      }
    }
  }

  /** Empties the timeline of a connection. */
  clear(connection: Connection): void {
    connection.frames = new Queue();
    connection.dropped = 0;
    const others = new Queue<Frame>();
    this.#bytes = 0;
    for (const frame of this.#frames) {
      if (frame.connection !== connection) {
        others.push(frame);
        this.#bytes += frame.size;
      }
    }
    this.#frames = others;
  }

  #begin({ id, url, time }: SocketEvent): Connection {
    const connection: Connection = {
      id,
      url,
      state: "connecting",
      began: time,
      ended: undefined,
      sent: { messages: 0, bytes: 0 },
      received: { messages: 0, bytes: 0 },
      code: undefined,
      reason: "",
      frames: new Queue(),
      dropped: 0,
    };
    this.#connections.set(id, connection);
    this.#open++;
    if (this.#connections.size > MOST_CONNECTIONS) {
      this.#forgetOne();
    }
    return connection;
  }

  #forgetOne(): void {
    for (const connection of this.#connections.values()) {
      if (connection.ended !== undefined) {
        this.#connections.delete(connection.id);
        this.#forgotten++;
        this.#listener.forgotten(connection);
        return;
      }
    }
  }

  #end(connection: Connection, state: State, time: number): void {
    connection.state = state;
    connection.ended = time;
    this.#open--;
    this.#add(connection, "state", time, endText(connection), 0);
  }

  #add(
    connection: Connection,
    kind: Frame["kind"],
    time: number,
    data: string | Uint8Array,
    size: number,
  ): void {
    const frame: Frame = { number: ++this.#lastNumber, connection, kind, time, data, size };
    this.#frames.push(frame);
    connection.frames.push(frame);
    this.#bytes += size;
    this.#listener.added(frame);
    // The newest one stays, however large.
    while (this.#frames.length > MOST_FRAMES || (this.#bytes > MOST_BYTES && this.#frames.length > 1)) {
      this.#dropOne();
    }
  }

  #dropOne(): void {
    const frame = this.#frames.shift();
    if (frame !== undefined) {
      this.#bytes -= frame.size;
      // What is the oldest of all is the oldest of its connection.
      frame.connection.frames.shift();
      frame.connection.dropped++;
      this.#listener.dropped(frame);
    }
  }
}

function count(traffic: Traffic, size: number): void {
  traffic.messages++;
  traffic.bytes += size;
}

/** The names of close codes (RFC 6455, section 7.4.1, and the registry of IANA that continues it). */
const CODES: Readonly<Record<number, string>> = {
  1000: "Normal closure",
  1001: "Going away",
  1002: "Protocol error",
  1003: "Unsupported data",
  1005: "No status received",
  1006: "Abnormal closure",
  1007: "Invalid payload data",
  1008: "Policy violation",
  1009: "Message too big",
  1010: "Mandatory extension",
  1011: "Internal error",
  1012: "Service restart",
  1013: "Try again later",
  1014: "Bad gateway",
  1015: "TLS handshake",
  3000: "Unauthorized",
  3003: "Forbidden",
  3008: "Timeout",
};

/** A close code and what it is called. */
export function codeText(code: number): string {
  const range = code >= 4000 ? "Private use" : code >= 3000 ? "Of a library" : "Unknown";
  return `${code} ${CODES[code] ?? range}`;
}

/** How a connection ended, in words. */
export function endText({ state, code = 1005, reason }: Connection): string {
  if (state === "gone") {
    return `Gone: ${reason}`;
  }
  const text = `${state === "failed" ? "No connection: " : "Closed: "}${codeText(code)}`;
  return reason === "" ? text : `${text}, “${reason}”`;
}
