// A VM that the page calls, and that sends its output to the page.

import { Luau } from "./index.js";
import { LuauError } from "./vm/errors.js";
import type { LuauOptions, RunOptions, Sink, SocketEvent, WebSocketConstructor } from "./vm/options.js";
import type { Batch } from "./worker/messages.js";
import type { Settings } from "./worker/options.js";
import { GONE, type Method, Peer } from "./worker/peer.js";
import { RateLimiter } from "./worker/rate-limiter.js";
import { gatedWebSocket } from "./worker/socket.js";

/** The longest line in UTF-16 code units. A longer one would block the page. */
const MAX_LINE_LENGTH = 4_000_000;

/** The most data in a socket event, in bytes: half of what may cross at once. */
const MAX_EVENT_BYTES = 64 * 1_048_576;

/** The weights of an error and of an event, in bytes of text that a page needs as long to process. */
const ERROR = 5_000;
const EVENT = 2_000;

/** The used part of a worker's global object. */
interface WorkerScope {
  postMessage(message: unknown, transfer: Transferable[]): void;
  addEventListener(type: "message" | "messageerror", listener: (event: MessageEvent<Batch>) => void): void;
}

const scope = globalThis as unknown as WorkerScope;

/** Hooks of a worker of your own. */
export interface ServeOptions {
  /** The constructor of sockets. By default it is the worker's `WebSocket`. */
  readonly WebSocket?: WebSocketConstructor | undefined;
  /**
   * Replaces the values that scripts print, return or throw before they are sent to the page, for example by parts of them.
   *
   * @param values converts them. Not calling it saves the time
   * @returns the values to send; for a thrown table or object, one value
   */
  readonly transformOutput?: ((values: () => unknown[], kind: OutputKind) => unknown[]) | undefined;
}

/** How a script puts out values: by printing, by returning from a run, or in an error. */
export type OutputKind = "print" | "warn" | "return" | "error";

/**
 * Makes the current worker the worker of a `LuauWorker`. Call it once, in a module worker that the option `worker` creates, before the first
 * `await`. The script `luau-websocket/worker-thread` does so without hooks.
 */
export function serve(hooks: ServeOptions = {}): void {
  const { transformOutput = (values) => values() } = hooks;
  /** Created by the first call. */
  let luau: Luau;

  const methods: Record<string, Method> = {
    async create([settings], { raw }) {
      luau = await Luau.create(optionsOf(settings as Settings, raw as LuauOptions["wasm"]));
    },
    async run([source, chunkName, args], { signal }) {
      const options = { chunkName, args, signal } as RunOptions;
      try {
        const results = await luau.run(source as string, options);
        return transformOutput(() => results, "return");
      } catch (error) {
        throw transformed(error);
      }
    },
    check: ([source, chunkName]) => luau.check(source as string, chunkName as string),
    get: ([name]) => luau.get(name as string),
    set: ([name, value]) => luau.set(name as string, value),
    idle: () => luau.idle(),
    stats: () => luau.stats,
    send: ([id, data]) => luau.socket(id as number).send(data as string | Uint8Array),
    close: ([id, code, reason]) => luau.socket(id as number).close(code as number, reason as string),
    stop: () => luau.stop(),
    dispose() {
      luau.dispose();
      scope.postMessage(GONE, []);
    },
  };

  const page = new Peer(
    (batch, transfer) => scope.postMessage(batch, transfer),
    methods,
    true,
    new RateLimiter(),
  );

  function optionsOf(settings: Settings, wasm: LuauOptions["wasm"]): LuauOptions {
    const { options, printsValues, warnsValues, hasProgress, hasSocketEvents, hasPolicy } = settings;
    const sink = (name: "print" | "warn", isWithValues: boolean): Sink => {
      return (text, values) => {
        const isTooLong = text.length > MAX_LINE_LENGTH;
        const line = isTooLong
          ? `${text.slice(0, MAX_LINE_LENGTH)}… (${text.length - MAX_LINE_LENGTH} more characters)`
          : text;
        page.notify(
          name,
          isWithValues ? [line, transformOutput(isTooLong ? () => [line] : values, name)] : [line],
        );
      };
    };
    const isAllowed = async (url: string) => (await page.call("allow", [url])) === true;
    const WebSocket = hasPolicy ? gatedWebSocket(isAllowed, hooks.WebSocket) : hooks.WebSocket;
    return {
      ...options,
      wasm,
      print: sink("print", printsValues),
      warn: sink("warn", warnsValues),
      onError: (error) => page.notifyError("onError", transformed(error), ERROR),
      onProgress: hasProgress ? (loaded, total) => page.notify("onProgress", [loaded, total]) : undefined,
      onSocket: hasSocketEvents
        ? (event) => page.notify("onSocket", [withoutLongData(event)], EVENT)
        : undefined,
      websocket: { ...options.websocket, WebSocket },
    };
  }

  /** Replaces the value that a script threw. */
  function transformed<T>(error: T): T {
    if (error instanceof LuauError && hooks.transformOutput !== undefined) {
      const { value } = error;
      if (typeof value === "object" && value !== null && !(value instanceof Error)) {
        Object.defineProperty(error, "value", { value: transformOutput(() => [value], "error")[0] });
      }
    }
    return error;
  }

  scope.addEventListener("message", ({ data }) => page.receive(data));
  scope.addEventListener("messageerror", () => {
    // Appears as an error of the worker, and so ends everything that waits for it.
    throw new Error("a message from the page could not be read");
  });

  // Times of socket events are relative to the start of the worker.
  page.notify("ready", [performance.timeOrigin]);
}

/** Leaves out data that is too long to cross. The event still has its size. */
function withoutLongData(event: SocketEvent): SocketEvent {
  if ((event.size ?? 0) <= MAX_EVENT_BYTES) {
    return event;
  }
  const { data: _, ...rest } = event;
  return rest;
}
