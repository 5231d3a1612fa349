import type { LuauError } from "./errors.js";
import type { Bytes, WasmModule } from "./platform.js";

/** Where the WebAssembly module comes from. */
export type WasmSource = URL | string | Response | Promise<Response> | Bytes | WasmModule;

/**
 * Takes a line that a script put out: its text; and, if the function declares two parameters, a function that converts the
 * arguments, during the call only. So `console.log` will do too. Among these values a string that is not UTF-8 is a `Uint8Array`.
 */
export type Sink = (text: string, values: () => unknown[]) => void;

/** What happened on a connection, for those who want to show it. */
export interface SocketEvent {
  /** Which connection: a number from 1, anew for each VM. */
  readonly id: number;
  readonly type: "connecting" | "open" | "message" | "send" | "close";
  /** The URL, as the script gave it, and as the browser resolved it once it is open. */
  readonly url: string;
  /** When, in milliseconds, as `performance.now()` gives them. */
  readonly time: number;
  /** Of `message` and `send`: text, or a copy of the bytes. `LuauWorker` leaves it out if it has more than 64 MiB. */
  readonly data?: string | Uint8Array;
  /** Of `message` and `send`: its length in bytes. */
  readonly size?: number;
  /** Of `close`: the close code (RFC 6455, section 7.4). */
  readonly code?: number;
  /** Of `close`: the reason that the server gave, or if the connection failed, the text of the error, which browsers leave empty. */
  readonly reason?: string;
}

/** What a constructor of WebSockets must look like: the global `WebSocket`, or that of the npm package `ws`. */
// biome-ignore lint/suspicious/noExplicitAny: the types of ws and of the DOM have nothing in common that is named
export type WebSocketConstructor = new (url: string, protocols?: any) => any;

/** What scripts may do with WebSockets. */
export interface WebSocketOptions {
  /** The constructor to use; the global `WebSocket` by default. Node 20 has none: give it that of the npm package `ws`. */
  readonly WebSocket?: WebSocketConstructor | undefined;
  /** Whether scripts may connect to a URL; all by default. The script is told what is denied. */
  readonly allow?: ((url: URL) => boolean) | undefined;
  /** How many connections may be open at a time; 255 by default. */
  readonly maxConnections?: number | undefined;
  /** How many messages a connection keeps for a script that does not take them; 65,536 by default. */
  readonly maxQueueMessages?: number | undefined;
  /**
   * How many bytes they may have together; 16 MiB by default. Those of all connections may have half of `memoryLimit`, which is also
   * as long as a message may be.
   */
  readonly maxQueueBytes?: number | undefined;
}

/** The source of a module, or nothing if there is no such module. */
export type ModuleLookup = string | Uint8Array | null | undefined;

/** See {@link LuauOptions.globalScope}. */
export type GlobalScope = "run" | "vm";

/** See {@link LuauOptions.isolation}. */
export type Isolation = "instance" | "shared";

/** What a VM is made with. */
export interface LuauOptions {
  /** Where the WebAssembly module comes from; beside this package's own files by default. It is loaded once. */
  readonly wasm?: WasmSource | undefined;
  /**
   * Told of the download: bytes that have come, and of how many, if that is known. Not told of what another VM has loaded already,
   * or is loading.
   */
  readonly onProgress?: ((loaded: number, total?: number) => void) | undefined;
  /** Takes what `print` puts out; `console.log` by default. */
  readonly print?: Sink | undefined;
  /** Takes what `warn` puts out; `console.warn` by default. */
  readonly warn?: Sink | undefined;
  /**
   * Takes the errors of threads that nobody waits for, and those of calls of a script's function whose promise nobody waits for, which come
   * in the next macrotask, even after `dispose`; `console.error` by default. The promise of `run` is the host's own: unless it is handled, its rejection is an unhandled one.
   */
  readonly onError?: ((error: LuauError) => void) | undefined;
  /**
   * Globals for the scripts, as a plain object with them by their names. A script that assigns such a name gets a global of its own.
   * Their tables are read-only at every level; `table.clone` gives a script a copy that it can change. Tables under the names `_G` and
   * `shared` fill those of the scripts, which they can write: where each run has its own globals, every run gets a copy.
   *
   * Functions get a string of the script as a string. One that is not UTF-8 is an error for the script, which gives bytes as a buffer.
   */
  readonly globals?: object | undefined;
  /**
   * The sources of modules, for `require("./name")`: by their paths, such as `name`, `lib/name.luau` or `lib/init.luau`; or a
   * function that is given a path without an extension, and is asked for `lib/init` when it has no `lib`. Paths begin as the name
   * of the chunk does that asks: with a `/`, a drive, or the origin of a URL, if there is one.
   */
  readonly modules?:
    | Readonly<Record<string, string | Uint8Array>>
    | ((path: string) => ModuleLookup | PromiseLike<ModuleLookup>)
    | undefined;
  /**
   * With `true`, each script and each module has the global `script`, its place in the tree of modules, for packages that were written
   * for Roblox: `require(script.Parent.Name)`. The place has `Name`, `Parent`, `ClassName`, its children by their names,
   * `FindFirstChild`, `WaitForChild`, `FindFirstAncestor`, `GetChildren`, `GetDescendants`, `GetFullName` and `IsA`. If `modules` is a function,
   * every name is taken for that of a module until it is required, and the children cannot be listed.
   *
   * `getfenv` and `setfenv` then reach the functions of other scripts and modules, as in Roblox, where test kits use that: so scripts can
   * change each other's globals. Needs `globalScope: "run"`; false by default.
   */
  readonly script?: boolean | undefined;
  /**
   * How much memory scripts may have, in bytes; 512 MiB by default. Past it they get the error `not enough memory`, and the VM lives
   * on. An instance has four gigabytes at most.
   */
  readonly memoryLimit?: number | undefined;
  /**
   * How long a thread runs until the page gets its turn, in milliseconds: 8 where there is a `document`, else `Infinity`, which
   * costs nothing. Metamethods and callbacks of library functions, such as a comparison of `table.sort`, do not give way; when such
   * a call keeps the page from its turn for five seconds, the thread fails with an error of kind `timeout`.
   */
  readonly timeSlice?: number | undefined;
  /** How long a thread may run without waiting, in milliseconds. Past it, it fails with an error of kind `timeout`. */
  readonly timeLimit?: number | undefined;
  /**
   * Makes the libraries and the host's globals read-only for scripts; true by default. With `false` all scripts share one table of
   * globals, and a change that one script makes to it or to a library affects all others.
   */
  readonly sandbox?: boolean | undefined;
  /**
   * `"run"` (the default) gives each `run`, and each module that `require` loads, its own globals on top of the libraries and those of
   * the host: no script can replace what another one calls. To get a function from a script, have the script return it.
   * `"vm"` makes all runs and modules share their globals, for a console or a REPL whose lines build on earlier ones. A script can then
   * tamper with all others of the VM. This is the only choice without the sandbox.
   */
  readonly globalScope?: GlobalScope | undefined;
  /**
   * The compiler's optimization level: 0 for none, 1 (the default), or 2 to inline functions and unroll loops. `--!optimize` and
   * `--!native` in a script cannot raise it.
   */
  readonly optimize?: 0 | 1 | 2 | undefined;
  /**
   * `"instance"` (the default) gives the VM its own WebAssembly instance and so its own memory: a fault in one VM ends no other, no VM
   * can read another's memory, and `dispose` frees it. The 65th VM of a realm and later ones share the instance that has the fewest.
   * `"shared"` puts all VMs with this option into one instance, for scripts that trust each other. It saves 0.3 MB and one or two
   * milliseconds per VM.
   */
  readonly isolation?: Isolation | undefined;
  /** What scripts may do with WebSockets. */
  readonly websocket?: WebSocketOptions | undefined;
  /** Told of all that happens on the sockets. Costs nothing when absent. */
  readonly onSocket?: ((event: SocketEvent) => void) | undefined;
}

/** How to run a chunk. */
export interface RunOptions {
  /** What it is called in errors; `script` by default. `require` is relative to it, as to a path. */
  readonly chunkName?: string | undefined;
  /** The values of `...` in the chunk. */
  readonly args?: readonly unknown[] | undefined;
  /** Cancels the thread when it is aborted. Null is the same as none. */
  readonly signal?: AbortSignal | null | undefined;
}

/** What a VM has under way. */
export interface LuauStats {
  /** Threads that run, wait, or are about to. */
  readonly threads: number;
  /** Timers of scripts. */
  readonly timers: number;
  /** Sockets that are not closed. */
  readonly sockets: number;
  /** The memory of scripts, in bytes. */
  readonly memory: number;
}
