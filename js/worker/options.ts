import { checkOptions } from "../vm/check.js";
import { checkedResolver, checkedSources } from "../vm/modules.js";
import type { LuauOptions, WebSocketOptions } from "../vm/options.js";
import type { Bytes, WasmModule, WebWorker } from "../vm/platform.js";

/** Options for a new {@link LuauWorker}, like {@link LuauOptions}. Functions, including those in `globals`, run on the page. */
export interface LuauWorkerOptions
  extends Omit<LuauOptions, "wasm" | "print" | "warn" | "timeSlice" | "websocket"> {
  /**
   * Creates the worker if the default does not work: because of a Content Security Policy, a bundler that does not copy the file, or Trusted
   * Types. The worker must run `luau-websocket/worker-thread` as a module, and nothing else may post messages to it.
   */
  readonly worker?: (() => WebWorker) | undefined;
  /**
   * The WebAssembly module; by default the file next to this package's own. A string is relative to the page. Pass a `WebAssembly.Module` to
   * compile once for many workers.
   */
  readonly wasm?: URL | string | Bytes | WasmModule | undefined;
  /**
   * Receives the output of `print`; `console.log` by default. `values()` returns the printed values if the function declares a second
   * parameter, and otherwise throws: its `length` decides, when the VM is made, whether the values are sent to the page.
   *
   * Output arrives later than the script calls `print`, but before any later effect of the script on the page. Errors of the sink go to
   * `console.error`. Few lines arrive one by one: up to a thousand per second, or 256 after a pause. More arrive in batches, at least every
   * 16 ms while the script prints. If a script then computes without waiting, its last lines stay behind until the worker gets its turn; see
   * `timeSlice`. A script that prints faster than a page can handle, 50,000 lines or 32 MiB per second, is slowed down. Lines longer than
   * four million characters are cut.
   */
  readonly print?: ((text: string, values: () => unknown[]) => void) | undefined;
  /** Receives the output of `warn`; `console.warn` by default. Works like `print`. */
  readonly warn?: ((text: string, values: () => unknown[]) => void) | undefined;
  /**
   * The time that threads run before the worker's event loop gets its turn, in milliseconds; `Infinity` by default, which costs nothing. With
   * a number, `stop` and other calls reach scripts that never wait, and all their output arrives.
   */
  readonly timeSlice?: number | undefined;
  /**
   * Limits and policy for WebSockets. `allow` runs on the page while the script waits. If it refuses an address,
   * `websocket.connect` returns the reason.
   */
  readonly websocket?: Omit<WebSocketOptions, "WebSocket"> | undefined;
}

/** Settings for the VM, sent to the worker as a value. */
export interface Settings {
  /** Options that the worker uses as they are. */
  readonly options: Omit<LuauOptions, "wasm">;
  /** True if the page's sink takes the printed values. */
  readonly printsValues: boolean;
  readonly warnsValues: boolean;
  /** True if the page has the option. */
  readonly hasProgress: boolean;
  readonly hasSocketEvents: boolean;
  readonly hasPolicy: boolean;
}

/**
 * Returns the options that are sent to the worker.
 *
 * @throws TypeError for an option that cannot be sent
 */
export function settingsOf(options: LuauWorkerOptions): Settings {
  checkOptions(options, { worker: "function" });
  const { worker, wasm, print, warn, onError, onSocket, onProgress, websocket, modules, ...others } = options;
  const { allow, ...limits } = websocket ?? {};
  if ("WebSocket" in limits && limits.WebSocket !== undefined) {
    throw new TypeError(
      "option websocket.WebSocket: a constructor cannot cross into a worker, which uses its own WebSocket; pass it to `Luau` instead",
    );
  }
  return {
    options: {
      ...others,
      // Checked before sending, because any kind of bytes arrives as a Uint8Array.
      modules: typeof modules === "function" ? checkedResolver(modules) : modules && checkedSources(modules),
      websocket: limits,
    },
    printsValues: wantsValues(print),
    warnsValues: wantsValues(warn),
    hasProgress: Boolean(onProgress),
    hasSocketEvents: Boolean(onSocket),
    hasPolicy: Boolean(allow),
  };
}

function wantsValues(sink: LuauWorkerOptions["print"]): boolean {
  return (sink?.length ?? 0) >= 2;
}

/**
 * Returns the option `wasm` in a form that can be posted.
 *
 * @throws TypeError if that is impossible
 */
export function postableWasm(wasm: unknown): string | Uint8Array | WasmModule | undefined {
  if (wasm === undefined || wasm === null || wasm instanceof WebAssembly.Module) {
    return wasm ?? undefined;
  }
  if (typeof wasm === "string" || wasm instanceof URL) {
    return absolute(String(wasm));
  }
  if (ArrayBuffer.isView(wasm)) {
    return new Uint8Array(wasm.buffer, wasm.byteOffset, wasm.byteLength).slice();
  }
  if (wasm instanceof ArrayBuffer) {
    return new Uint8Array(wasm);
  }
  throw new TypeError(
    "option wasm: a worker needs a URL, a string, bytes or a WebAssembly.Module; a Response cannot cross into it: " +
      "give its address, or `await response.arrayBuffer()`",
  );
}

function absolute(address: string): string {
  const base = globalThis.document?.baseURI ?? globalThis.location?.href;
  try {
    return new URL(address, base).href;
  } catch (error) {
    throw new TypeError(
      `option wasm: "${address}" is not a URL, and there is no page that it could be relative to`,
      {
        cause: error,
      },
    );
  }
}
