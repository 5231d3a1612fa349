/** What `cargo xtask build` makes of wasm-bindgen's glue: see crates/xtask/src/glue.rs, and src/vm.rs for the class. */

import type { LuauError, LuauErrorMembers } from "./errors.js";
import type { LuauOptions, LuauStats, ModuleLookup, Sink, WebSocketConstructor } from "./options.js";
import type { WasmModule } from "./platform.js";

/** One instance of the WebAssembly module. */
export interface Glue {
  /**
   * Makes the instance. Good for one call.
   *
   * @returns what the module exports.
   */
  instantiate(module: WasmModule): Promise<unknown>;
  /** True once every call fails: after a fault, even if `onFault` could not be called yet, and after {@link close}. */
  readonly hasEnded: boolean;
  /** Finishes the end after a fault, unless that is done: `onFault` is called when this returns. Throws when the stack overflows. */
  finish(): void;
  /**
   * Must be called before a call that may come at any depth of the stack.
   *
   * @throws RangeError when too little of the stack is left for a call. Nothing has happened to the instance then.
   */
  requireStack(): void;
  /**
   * Frees the instance, even if something still refers to its functions or objects. Must not be called while its code runs.
   *
   * @param reason the cause of the errors that later calls throw
   */
  close(reason: unknown): void;
  readonly Vm: new (options: VmOptions) => Vm;
}

/**
 * @param onFault is told once, or again after it has thrown, with what ended the instance: a panic of Rust, a trap, or what a function of the page threw
 * where Rust does not catch it. Calls of the class throw the same, and an `Error` with it as its `cause` ever after; what the
 * event loop calls does nothing any more.
 */
export function createGlue(onFault: (thrown: unknown) => void): Glue;

/** What a VM is made with. */
export interface VmOptions {
  readonly print?: Sink | undefined;
  readonly warn?: Sink | undefined;
  readonly onError?: ((error: LuauError) => void) | undefined;
  readonly globals?: LuauOptions["globals"];
  readonly modules?: ((path: string) => ModuleLookup | PromiseLike<ModuleLookup>) | undefined;
  readonly script?: boolean | undefined;
  readonly modulePaths?: readonly string[] | undefined;
  readonly memoryLimit?: number | undefined;
  readonly timeSlice?: number | undefined;
  readonly timeLimit?: number | undefined;
  readonly sandbox?: boolean | undefined;
  readonly globalScope?: LuauOptions["globalScope"];
  readonly optimize?: number | undefined;
  readonly websocket?: {
    readonly WebSocket?: WebSocketConstructor | undefined;
    readonly maxConnections?: number | undefined;
    readonly maxQueueMessages?: number | undefined;
    readonly maxQueueBytes?: number | undefined;
  };
  /** Makes the errors that the page gets. */
  readonly makeError?: (message: string, members: LuauErrorMembers) => LuauError;
  /** Reads an error that `makeError` made, here or elsewhere; undefined for anything else. */
  readonly readError?: (thrown: unknown) => LuauErrorMembers | undefined;
  /** Makes the function that the page gets for one of a script. */
  readonly makeFunction?: (call: LuauFunction) => LuauFunction;
  /** Makes what the page gets for a value that it cannot look into. */
  readonly makeValue?: (handle: object, text: string) => object;
  /** Gets the functions that reject the promises that are not settled. */
  readonly pending?: Map<(error: unknown) => void, Promise<unknown>>;
  /** Called before the promise of a call of a script's function is rejected. */
  readonly onCallRejected?: (promise: Promise<unknown[]>, error: LuauError) => void;
  /** Knows since when the event loop waits for VMs. */
  readonly turns?: {
    begin(now: number, onControl: () => void): number;
    beginTask(now: number, onControl: () => void): boolean;
  };
  /** Called once, when the VM is disposed or ends by itself, with the error that later calls get. */
  readonly onEnd?: (reason: LuauError) => void;
}

type LuauFunction = (...args: unknown[]) => Promise<unknown[]>;

/** The class of Rust. */
export interface Vm {
  run(
    source: string | Uint8Array,
    chunkName?: string,
    args?: readonly unknown[],
    id?: number,
  ): Promise<unknown[]>;
  cancel(id: number, reason: unknown): void;
  check(source: string | Uint8Array, chunkName?: string): LuauError | null;
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  idle(): Promise<void>;
  stats(): LuauStats;
  stop(): void;
  dispose(): void;
  free(): void;
}
