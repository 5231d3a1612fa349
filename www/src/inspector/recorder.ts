import type { SocketEvent } from "luau-websocket";
import { Queue } from "../queue.js";

/** The limits for all connections together: timeline entries, and bytes in them. */
const MAX_FRAMES = 10_000;
const MAX_BYTES = 16 * 1024 * 1024;
/** The most connections that are kept. Open ones are always kept. */
const MAX_CONNECTIONS = 500;

/**
 * The state of a connection. A `failed` one never was open. A connection is `gone` if its worker ended first, so its
 * end is unknown.
 */
export type State = "connecting" | "open" | "closed" | "failed" | "gone";

/** A timeline entry: a message or a change of the connection's state. */
export interface Frame {
  /** The position in the order of arrival across all connections, from 1. */
  readonly number: number;
  readonly connection: Connection;
  readonly kind: "sent" | "received" | "state";
  /** The time by `performance.now()` of the page. */
  readonly time: number;
  /** The message, or a description of the change. */
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
  /** When the script requested it, and when it ended. */
  readonly began: number;
  ended: number | undefined;
  readonly sent: Traffic;
  readonly received: Traffic;
  code: number | undefined;
  /** The close reason from the server or the script, or why the connection is gone. */
  reason: string;
  /** The kept part of the timeline, and the number of dropped entries. */
  frames: Queue<Frame>;
  dropped: number;
}

/** Callbacks for changes. */
export interface RecorderListener {
  added(frame: Frame): void;
  /** Called when the oldest entry of a connection makes room. */
  dropped(frame: Frame): void;
  changed(connection: Connection): void;
  forgotten(connection: Connection): void;
}

/** Records the events of a run's connections, up to a limit. */
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

  /** The kept connections, oldest first. */
  get connections(): Iterable<Connection> {
    return this.#connections.values();
  }

  get count(): number {
    return this.#connections.size;
  }

  /** The number of connections that are open or connecting. */
  get open(): number {
    return this.#open;
  }

  /** The number of connections that are no longer kept. */
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

  /** Marks all open connections as gone. */
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
    if (this.#connections.size > MAX_CONNECTIONS) {
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
    // The newest entry stays, no matter how large it is.
    while (this.#frames.length > MAX_FRAMES || (this.#bytes > MAX_BYTES && this.#frames.length > 1)) {
      this.#dropOne();
    }
  }

  #dropOne(): void {
    const frame = this.#frames.shift();
    if (frame !== undefined) {
      this.#bytes -= frame.size;
      // The oldest entry overall is also the oldest of its connection.
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

/** The names of close codes (RFC 6455, section 7.4.1, and the IANA registry that continues it). */
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

/** Returns a close code with its name. */
export function codeText(code: number): string {
  const range = code >= 4000 ? "Private use" : code >= 3000 ? "Library or framework" : "Unknown";
  return `${code} ${CODES[code] ?? range}`;
}

/** Describes the end of a connection. */
export function endText({ state, code = 1005, reason }: Connection): string {
  if (state === "gone") {
    return `Gone: ${reason}`;
  }
  const text = `${state === "failed" ? "Connection failed: " : "Closed: "}${codeText(code)}`;
  return reason === "" ? text : `${text}, “${reason}”`;
}
