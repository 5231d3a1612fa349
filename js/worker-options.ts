import { checkOptions } from "./check.js";
import { checkedResolver, checkedSources } from "./modules.js";
import type { LuauOptions, WebSocketOptions } from "./options.js";
import type { Bytes, WasmModule, WebWorker } from "./platform.js";

/** What a {@link LuauWorker} is made with: as {@link LuauOptions}. The functions among them stay in the page, and so do those in `globals`. */
export interface LuauWorkerOptions
  extends Omit<LuauOptions, "wasm" | "print" | "warn" | "timeSlice" | "websocket"> {
  /**
   * Makes the worker, where it cannot be made in the usual way: because of a Content Security Policy, a bundler that does not copy
   * the file, or Trusted Types. It must run `luau-websocket/worker-thread` as a module, and nobody else may write to it.
   */
  readonly worker?: (() => WebWorker) | undefined;
  /**
   * Where the WebAssembly module comes from; beside this package's own files by default. A string is relative to the page. A
   * `WebAssembly.Module` saves further workers the compilation.
   */
  readonly wasm?: URL | string | Bytes | WasmModule | undefined;
  /**
   * Takes what `print` puts out; `console.log` by default. `values()` gives the arguments if the function declares two parameters,
   * or else throws: whether they are to cross is decided by its `length`, when the VM is made.
   *
   * It is called later than the script calls `print`, yet before anything that the script does next is seen in the page. What it
   * throws goes to `console.error`. Lines come one by one as long as they are few, a thousand in a second or 256 after a rest, and
   * else in batches, at least every 16 ms while the script puts out more; if it stops to do so and never waits, the last of many
   * stay behind until the worker gets its turn, see `timeSlice`. A script that puts out more than a page can take, 50,000
   * lines or 32 MiB in a second, is held up; a line of more than four million characters is cut.
   */
  readonly print?: ((text: string, values: () => unknown[]) => void) | undefined;
  /** Takes what `warn` puts out; `console.warn` by default. The same holds as for `print`. */
  readonly warn?: ((text: string, values: () => unknown[]) => void) | undefined;
  /**
   * How long a thread runs until the worker gets its turn, in milliseconds; `Infinity` by default, which costs nothing. With a
   * number, `stop` and the like get through to scripts that never wait, and their last lines get out.
   */
  readonly timeSlice?: number | undefined;
  /**
   * Limits and policy for WebSockets. `allow` runs on the page while the script waits. If it refuses an address,
   * `websocket.connect` returns the reason.
   */
  readonly websocket?: Omit<WebSocketOptions, "WebSocket"> | undefined;
}

/** What the worker makes its VM of. Crosses as a value. */
export interface Settings {
  /** What needs nothing done to it. */
  readonly options: Omit<LuauOptions, "wasm">;
  /** Whether the page wants to see the values that are put out. */
  readonly printsValues: boolean;
  readonly warnsValues: boolean;
  /** Whether the page has such an option. */
  readonly hasProgress: boolean;
  readonly hasSocketEvents: boolean;
  readonly hasPolicy: boolean;
}

/**
 * The part of the options that crosses.
 *
 * @throws TypeError for what cannot cross
 */
export function settingsOf(options: LuauWorkerOptions): Settings {
  checkOptions(options, { worker: "function" });
  const { worker, wasm, print, warn, onError, onSocket, onProgress, websocket, modules, ...others } = options;
  const { allow, ...limits } = websocket ?? {};
  if ("WebSocket" in limits && limits.WebSocket !== undefined) {
    throw new TypeError(
      "option websocket.WebSocket: a constructor cannot cross into a worker, which uses its own WebSocket; give it to `Luau` instead",
    );
  }
  return {
    options: {
      ...others,
      // Checked on this side: what crosses as bytes is a Uint8Array on the other one, whatever it was.
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
 * The option `wasm` as something that can be posted.
 *
 * @throws TypeError for what cannot
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
