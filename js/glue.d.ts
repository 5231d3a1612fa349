/**
 * The module `glue.js`, which `cargo xtask build` makes from wasm-bindgen's glue: see crates/xtask/src/glue.rs. The
 * class `Vm` is in src/vm.rs.
 */

import type { LuauError, LuauErrorMembers } from "./vm/errors.js";
import type { LuauOptions, LuauStats, ModuleLookup, WebSocketOptions } from "./vm/options.js";
import type { WasmModule } from "./vm/platform.js";

/** One instance of the WebAssembly module. */
export interface Glue {
  /**
   * Creates the WebAssembly instance. May be called once.
   *
   * @returns the exports of the module.
   */
  instantiate(module: WasmModule): Promise<unknown>;
  /** True if every call fails: after a fault, even if `onFault` could not be called yet, and after {@link close}. */
  readonly hasEnded: boolean;
  /**
   * Completes the handling of a fault, if necessary: `onFault` has been called when this returns. Throws if the stack
   * overflows.
   */
  finish(): void;
  /**
   * Must be called before a call that may happen at any stack depth.
   *
   * @throws RangeError if too little stack is left for a call. The instance is unaffected then.
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
 * @param onFault called with the cause when the instance ends, and again if it threw. The cause is a panic of Rust, a
 * trap, or an exception from a host function that Rust does not catch. The method call that failed throws this cause;
 * later calls throw an `Error` with it as the `cause`, and callbacks from the event loop do nothing.
 */
export function createGlue(onFault: (thrown: unknown) => void): Glue;

/** The validated options of a VM. The options of the host mean the same as in {@link LuauOptions}. */
export interface VmOptions
  extends Pick<
    LuauOptions,
    | "print"
    | "warn"
    | "onError"
    | "globals"
    | "script"
    | "memoryLimit"
    | "timeSlice"
    | "timeLimit"
    | "sandbox"
    | "globalScope"
    | "optimize"
  > {
  readonly modules?: ((path: string) => ModuleLookup | PromiseLike<ModuleLookup>) | undefined;
  /** The paths of all modules, for `script`; undefined if only `modules` knows them. */
  readonly modulePaths?: readonly string[] | undefined;
  readonly websocket?: Omit<WebSocketOptions, "allow"> | undefined;
  /** Creates the errors that the host receives. */
  readonly makeError?: (message: string, members: LuauErrorMembers) => LuauError;
  /** Returns the members of an error that `makeError` made, in this VM or another; undefined for anything else. */
  readonly readError?: (thrown: unknown) => LuauErrorMembers | undefined;
  /** Creates the function that represents a script's function for the host. */
  readonly makeFunction?: (call: LuauFunction) => LuauFunction;
  /** Creates the object that represents an opaque value for the host. */
  readonly makeValue?: (handle: object, text: string) => object;
  /** The unsettled promises, by the functions that reject them. The VM adds and later removes its own. */
  readonly pending?: Map<(error: unknown) => void, Promise<unknown>>;
  /** Called before the promise that a call of a script's function returned is rejected. */
  readonly onCallRejected?: (promise: Promise<unknown[]>, error: LuauError) => void;
  /** Tracks how long VMs have kept the event loop waiting. */
  readonly turns?: {
    begin(now: number, onControl: () => void): number;
    beginTask(now: number, onControl: () => void): boolean;
  };
  /** Called once, when the VM is disposed or ends by itself, with the error for later calls. */
  readonly onEnd?: (reason: LuauError) => void;
}

type LuauFunction = (...args: unknown[]) => Promise<unknown[]>;

/** The class that Rust exports. */
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
