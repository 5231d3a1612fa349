// What runs in the worker that a `LuauWorker` makes: a VM, whose calls come from the page and whose output goes there.

import { Luau } from "./index.js";
import type { LuauOptions, Sink, SocketEvent } from "./options.js";
import type { Batch } from "./worker-messages.js";
import type { Settings } from "./worker-options.js";
import { Pace } from "./worker-pace.js";
import { GONE, type Method, Peer } from "./worker-peer.js";
import { askingSocket } from "./worker-socket.js";

/** So long a line may be, in UTF-16 code units: to take a longer one would hold up the page. */
const LONGEST_LINE = 4_000_000;

/** The maximum length of the data in a socket event, in bytes: half of what may cross at once. */
const MAX_EVENT_BYTES = 64 * 1_048_576;

/** What an error and an event count for, in bytes: a page takes as long for them as for so long a text. */
const ERROR = 5_000;
const EVENT = 2_000;

/** What is used here of a worker's global object. */
interface WorkerScope {
  postMessage(message: unknown, transfer: Transferable[]): void;
  addEventListener(type: "message" | "messageerror", listener: (event: MessageEvent<Batch>) => void): void;
}

const scope = globalThis as unknown as WorkerScope;

/** Made by the first call. */
let luau: Luau;

const methods: Record<string, Method> = {
  async create([settings], { raw }) {
    luau = await Luau.create(optionsOf(settings as Settings, raw as LuauOptions["wasm"]));
  },
  run: ([source, chunkName, args], { signal }) =>
    luau.run(source as string, { chunkName: chunkName as string, args: args as unknown[], signal }),
  check: ([source, chunkName]) => luau.check(source as string, chunkName as string),
  get: ([name]) => luau.get(name as string),
  set: ([name, value]) => luau.set(name as string, value),
  idle: () => luau.idle(),
  stats: () => luau.stats,
  stop: () => luau.stop(),
  dispose() {
    luau.dispose();
    scope.postMessage(GONE, []);
  },
};

const page = new Peer((batch, transfer) => scope.postMessage(batch, transfer), methods, true, new Pace());

function optionsOf(settings: Settings, wasm: LuauOptions["wasm"]): LuauOptions {
  const { options, printsValues, warnsValues, hasProgress, hasSocketEvents, hasPolicy } = settings;
  const sink = (name: string, isWithValues: boolean): Sink => {
    return (text, values) => {
      const isTooLong = text.length > LONGEST_LINE;
      const line = isTooLong
        ? `${text.slice(0, LONGEST_LINE)}… (${text.length - LONGEST_LINE} more characters)`
        : text;
      page.tell(name, isWithValues ? [line, isTooLong ? [line] : values()] : [line]);
    };
  };
  const isAllowed = async (url: string) => (await page.call("allow", [url])) === true;
  return {
    ...options,
    wasm,
    print: sink("print", printsValues),
    warn: sink("warn", warnsValues),
    onError: (error) => page.tellError("onError", error, ERROR),
    onProgress: hasProgress ? (loaded, total) => page.tell("onProgress", [loaded, total]) : undefined,
    onSocket: hasSocketEvents ? (event) => page.tell("onSocket", [withoutLongData(event)], EVENT) : undefined,
    websocket: hasPolicy ? { ...options.websocket, WebSocket: askingSocket(isAllowed) } : options.websocket,
  };
}

/** Leaves out data that is too long to cross. The event still has its size. */
function withoutLongData(event: SocketEvent): SocketEvent {
  if ((event.size ?? 0) <= MAX_EVENT_BYTES) {
    return event;
  }
  const { data: _, ...rest } = event;
  return rest;
}

scope.addEventListener("message", ({ data }) => page.receive(data));
scope.addEventListener("messageerror", () => {
  // Shows as an error of the worker, and so ends everything that waits for it.
  throw new Error("a message of the page could not be read");
});

// The times of socket events count from when the worker began.
page.tell("ready", [performance.timeOrigin]);
