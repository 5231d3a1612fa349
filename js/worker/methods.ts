import type { LuauError } from "../vm/errors.js";
import type { SocketEvent } from "../vm/options.js";
import { isAllowed } from "../vm/sockets.js";
import type { LuauWorkerOptions } from "./options.js";
import type { Method } from "./peer.js";

/**
 * Returns the methods that a worker may call in the page: the functions among the options.
 *
 * @param ready called once the worker listens
 */
export function pageMethods(options: LuauWorkerOptions, ready: () => void): Record<string, Method> {
  const { onProgress, onSocket, websocket = {} } = options;
  const print = options.print ?? ((text) => console.log(text));
  const warn = options.warn ?? ((text) => console.warn(text));
  const onError = options.onError ?? ((error) => console.error(error));
  /** The difference between a time of the page and one of the worker. */
  let later = 0;
  return {
    ready([origin]) {
      later = (origin as number) - performance.timeOrigin;
      ready();
    },
    print: ([text, values]) => print(text as string, valuesOf("print", values)),
    warn: ([text, values]) => warn(text as string, valuesOf("warn", values)),
    onError: ([error]) => onError(error as LuauError),
    onProgress: ([loaded, total]) => onProgress?.(loaded as number, total as number | undefined),
    onSocket([data]) {
      const event = data as SocketEvent;
      onSocket?.({ ...event, time: event.time + later });
    },
    allow: ([url]) => websocket.allow === undefined || isAllowed(websocket.allow, new URL(url as string)),
  };
}

function valuesOf(name: string, values: unknown): () => unknown[] {
  return () => {
    if (values === undefined) {
      throw new Error(
        `values() has no values: they only cross if the option ${name} is a function that declares two parameters`,
      );
    }
    return values as unknown[];
  };
}
