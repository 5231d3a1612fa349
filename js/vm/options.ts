import type { LuauError } from "./errors.js";
import type { Bytes, WasmModule } from "./platform.js";

/** A source of the WebAssembly module. */
export type WasmSource = URL | string | Response | Promise<Response> | Bytes | WasmModule;

/**
 * Receives a line that a script printed: its text and, if the function declares a second parameter, a function that converts the printed
 * values. That function works only during the call. Strings that are not UTF-8 arrive as `Uint8Array`. `console.log` is a valid sink.
 */
export type Sink = (text: string, values: () => unknown[]) => void;

/** An event of a connection, for tools that show what a script sends and receives. */
export interface SocketEvent {
  /** The number of the connection. Each VM counts from 1. */
  readonly id: number;
  readonly type: "connecting" | "open" | "message" | "send" | "close";
  /** The URL: as the script gave it, and once the connection is open, as the browser resolved it. */
  readonly url: string;
  /** The time of the event in milliseconds, on the clock of `performance.now()`. */
  readonly time: number;
  /** For `message` and `send`: the text, or a copy of the bytes. `LuauWorker` omits data larger than 64 MiB. */
  readonly data?: string | Uint8Array;
  /** For `message` and `send`: the length in bytes. */
  readonly size?: number;
  /** For `close`: the close code (RFC 6455, section 7.4). */
  readonly code?: number;
  /** For `close`: the server's reason or, if the connection failed, the text of the error. Browsers give no such text. */
  readonly reason?: string;
}

/** A WebSocket constructor, such as the global `WebSocket` or the one in the npm package `ws`. */
// biome-ignore lint/suspicious/noExplicitAny: the types of ws and the DOM share no named type
export type WebSocketConstructor = new (url: string, protocols?: any) => any;

/** Limits and policy for the WebSockets of scripts. */
export interface WebSocketOptions {
  /** The constructor to use; the global `WebSocket` by default. Node 20 has none: pass the one from the npm package `ws`. */
  readonly WebSocket?: WebSocketConstructor | undefined;
  /**
   * Returns true if scripts may connect to a URL; all URLs are allowed by default. For a denied URL `websocket.connect` returns nil
   * and a reason.
   */
  readonly allow?: ((url: URL) => boolean) | undefined;
  /** The number of connections that may be open at the same time; 255 by default. */
  readonly maxConnections?: number | undefined;
  /** The number of messages that a connection queues until the script reads them; 65,536 by default. */
  readonly maxQueueMessages?: number | undefined;
  /**
   * The total size of a connection's queued messages in bytes; 16 MiB by default. The queues of all connections together, and a single
   * message, may have at most half of `memoryLimit`.
   */
  readonly maxQueueBytes?: number | undefined;
}

/** The source of a module, or null or undefined if the module does not exist. */
export type ModuleLookup = string | Uint8Array | null | undefined;

/** See {@link LuauOptions.globalScope}. */
export type GlobalScope = "run" | "vm";

/** See {@link LuauOptions.isolation}. */
export type Isolation = "instance" | "shared";

/** Options for a new VM. */
export interface LuauOptions {
  /** The WebAssembly module; by default the file next to this package's own. Each source is loaded once. */
  readonly wasm?: WasmSource | undefined;
  /**
   * Called while the module downloads, with the number of bytes so far and the total if it is known. Not called if another VM has loaded
   * the module or is loading it.
   */
  readonly onProgress?: ((loaded: number, total?: number) => void) | undefined;
  /** Receives the output of `print`; `console.log` by default. */
  readonly print?: Sink | undefined;
  /** Receives the output of `warn`; `console.warn` by default. */
  readonly warn?: Sink | undefined;
  /**
   * Receives errors that nothing else handles; `console.error` by default. They come from threads that nothing waits for, and from calls of a
   * script's function whose promise the host does not handle: those are reported in the next macrotask, even after `dispose`. The promise of
   * `run` belongs to the host, so its rejection is an `unhandledrejection` unless the host handles it.
   */
  readonly onError?: ((error: LuauError) => void) | undefined;
  /**
   * Global variables for scripts: a plain object whose keys are their names. Tables among them are read-only at every level; a script that
   * wants to change one makes a copy with `table.clone`. Buffers are the exception, because Luau has no read-only ones: every script sees
   * what one writes into a `Uint8Array` given here. Assigning to such a name creates a global of the script's own. The members of `_G`
   * and `shared` fill the tables of these names, which scripts can write to. With `globalScope: "run"` each run gets its own copy of them.
   *
   * Host functions receive strings as strings. Passing a string that is not UTF-8 is an error for the script: bytes go as a buffer.
   */
  readonly globals?: object | undefined;
  /**
   * The sources of modules for `require("./name")`: an object with their paths as keys, such as `name`, `lib/name.luau` or
   * `lib/init.luau`, or a function that returns the source for a path. The function gets paths without an extension, and is asked for
   * `lib/init` if it has no `lib`. If the name of the chunk that calls `require` begins with `/`, a drive or the origin of a URL, so does
   * the path.
   */
  readonly modules?:
    | Readonly<Record<string, string | Uint8Array>>
    | ((path: string) => ModuleLookup | PromiseLike<ModuleLookup>)
    | undefined;
  /**
   * `true` gives each script and module the global `script`, its place in the tree of modules, for packages that were written for Roblox:
   * `require(script.Parent.Name)`. It has `Name`, `Parent`, `ClassName`, `FindFirstChild`, `WaitForChild`, `FindFirstAncestor`,
   * `GetChildren`, `GetDescendants`, `GetFullName`, `IsA`, and its children by name. If `modules` is a function, every name counts as a
   * module until it is required, and children cannot be listed.
   *
   * `getfenv` and `setfenv` then reach the functions of other scripts and modules, as in Roblox, because test kits need that. Scripts can
   * therefore change each other's globals. Requires `globalScope: "run"`; false by default.
   */
  readonly script?: boolean | undefined;
  /**
   * The memory that scripts may use, in bytes; 512 MiB by default. Beyond it they get the error `not enough memory`, and the VM stays
   * usable. A WebAssembly instance has at most 4 GiB.
   */
  readonly memoryLimit?: number | undefined;
  /**
   * The time that threads run before the event loop gets its turn, in milliseconds. The default is 8 where there is a `document`, and
   * otherwise `Infinity`, which costs nothing. Metamethods and callbacks of library functions, such as the comparison of `table.sort`, cannot
   * be interrupted; a thread that blocks the event loop for five seconds in one fails with an error of kind `timeout`.
   */
  readonly timeSlice?: number | undefined;
  /** The time that a thread may run without waiting, in milliseconds. Beyond it the thread fails with an error of kind `timeout`. */
  readonly timeLimit?: number | undefined;
  /**
   * Makes the libraries and the host's globals read-only for scripts; true by default. With `false` all scripts share one table of
   * globals, and a change that one script makes to it or to a library affects all others.
   */
  readonly sandbox?: boolean | undefined;
  /**
   * `"run"` (the default) gives each `run`, and each module that `require` loads, its own globals on top of the libraries and the host's
   * globals, so no script can replace a function that another one calls. To get a function from a script, have the script return it.
   * `"vm"` makes all runs and modules share their globals, for a console or a REPL whose lines build on earlier ones. Any script can then
   * tamper with the others in the VM. Without the sandbox this is the only choice.
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
  /** Limits and policy for the WebSockets of scripts. */
  readonly websocket?: WebSocketOptions | undefined;
  /** Called for each event of a socket. Costs nothing when absent. */
  readonly onSocket?: ((event: SocketEvent) => void) | undefined;
}

/** Options for a run. */
export interface RunOptions {
  /** The chunk's name in errors; `script` by default. It is also the path that `require` resolves relative paths against. */
  readonly chunkName?: string | undefined;
  /** The values of `...` in the chunk. */
  readonly args?: readonly unknown[] | undefined;
  /** Cancels the run when it is aborted. Null means no signal. */
  readonly signal?: AbortSignal | null | undefined;
}

/** Counts of what a VM is doing. */
export interface LuauStats {
  /** Threads that run, wait, or are scheduled. */
  readonly threads: number;
  /** Pending timers. */
  readonly timers: number;
  /** Sockets that are not closed. */
  readonly sockets: number;
  /** The memory that scripts use, in bytes. */
  readonly memory: number;
}
