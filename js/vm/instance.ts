import { createGlue, type Glue } from "../glue.js";
import { LuauError } from "./errors.js";
import type { Isolation } from "./options.js";
import type { WasmModule } from "./platform.js";
import { closeAll, type Socket } from "./sockets.js";

/** An instance of the WebAssembly module: its memory, and the VMs in it. */
export class Instance {
  /** The unsettled promises, by the functions that reject them. */
  readonly pending = new Map<(error: unknown) => void, Promise<unknown>>();
  /** The sockets that are not closed. */
  readonly sockets = new Set<Socket>();
  /** The source of the module; undefined if the source can be used only once. */
  readonly key: unknown;
  readonly isolation: Isolation;
  /** Resolved once VMs can be created. */
  readonly ready: Promise<void>;
  readonly #glue: Glue;
  #vms = 0;
  /** The error that calls throw after the end. */
  #error: unknown;

  constructor(module: Promise<WasmModule>, key: unknown, isolation: Isolation) {
    this.key = key;
    this.isolation = isolation;
    this.#glue = createGlue((thrown) => this.#end(thrown));
    this.ready = module.then(async (compiled) => {
      // Its result holds the exports. If the promise resolved to them, it would keep the memory alive.
      await this.#glue.instantiate(compiled);
    });
  }

  /** True once every call fails. */
  get hasEnded(): boolean {
    return this.#glue.hasEnded;
  }

  get Vm(): Glue["Vm"] {
    return this.#glue.Vm;
  }

  /** The number of VMs, including those that are being created. */
  get vms(): number {
    return this.#vms;
  }

  /** Counts a VM that is being created. */
  enter(): void {
    this.#vms++;
    live.add(this);
  }

  /**
   * Removes a VM from the count. The memory is freed with the last one.
   *
   * @param reason the error that later calls throw
   */
  leave(reason: unknown): void {
    this.#vms--;
    // A host function may dispose the VM whose script called it. By the next microtask the instance's frames have
    // returned.
    queueMicrotask(() => {
      if (this.#vms === 0) {
        this.#close(reason);
      }
    });
  }

  /**
   * Calls into the instance.
   *
   * @throws LuauError if it has ended or ends in this call: of kind `terminated` after a fault, of kind `disposed` otherwise. RangeError
   * near the end of the stack, before anything has happened
   */
  call<T>(call: () => T): T {
    if (this.#glue.hasEnded) {
      throw this.#ended();
    }
    this.#glue.requireStack();
    try {
      return call();
    } catch (error) {
      throw this.#glue.hasEnded ? this.#ended() : error;
    }
  }

  /** Completes the handling of a fault, which a stack overflow may have cut off, and returns the error for calls. */
  #ended(): unknown {
    this.#glue.finish();
    return this.#error;
  }

  #close(reason: unknown): void {
    live.delete(this);
    if (!this.#glue.hasEnded) {
      this.#error = reason;
      this.#glue.close(reason);
    }
  }

  /** Ends everything. It is called again after a stack overflow. */
  #end(thrown: unknown): void {
    live.delete(this);
    this.#error ??= new LuauError(
      "the WebAssembly instance ended after an internal fault, and all its VMs with it: make new ones. Please report what led to it",
      { kind: "terminated", cause: thrown },
    );
    // In a microtask the stack is empty, so an overflow there is the socket's own fault.
    queueMicrotask(() => closeAll(this.sockets));
    for (const [reject, promise] of this.pending) {
      // The call that was to return the promise may be the one that has just failed.
      promise.catch(() => {});
      reject(this.#error);
      this.pending.delete(reject);
    }
  }
}

/** The instances that have VMs. */
const live = new Set<Instance>();

/** The most instances with a VM each; further VMs share them. Chromium allows 125 instances per process. */
const MAX_INSTANCES = 64;

/** The modules by source, so that each is loaded once. */
const modules = new Map<unknown, Promise<WasmModule>>();

/**
 * Returns the instance for a new VM and adds the VM to its count; {@link Instance.leave} removes it.
 *
 * @param key identifies the source of the module; undefined for a source that can be used only once
 * @param compile compiles the module. It is called again after a failure.
 */
export async function enterInstance(
  key: unknown,
  isolation: Isolation,
  compile: () => Promise<WasmModule>,
): Promise<Instance> {
  const fresh = () => new Instance(moduleOf(key, compile), key, isolation);
  const others = [...live].filter((other) => key !== undefined && other.key === key && !other.hasEnded);
  if (isolation === "shared") {
    const instance = others.find((other) => other.isolation === "shared") ?? fresh();
    await enter(instance);
    // Another VM may have ended it in the meantime.
    return instance.hasEnded ? enterInstance(key, isolation, compile) : instance;
  }
  const own = others.filter((other) => other.isolation === "instance");
  const [crowded] = own.sort((one, other) => one.vms - other.vms);
  const instance = crowded !== undefined && live.size >= MAX_INSTANCES ? crowded : fresh();
  try {
    await enter(instance);
  } catch (error) {
    // Others use the same module, so it is valid: the engine has no memory for another instance.
    if (crowded === undefined || crowded.hasEnded) {
      throw error;
    }
    crowded.enter();
    return crowded;
  }
  return instance;
}

async function enter(instance: Instance): Promise<void> {
  instance.enter();
  try {
    await instance.ready;
  } catch (error) {
    instance.leave(error);
    throw error;
  }
}

function moduleOf(key: unknown, compile: () => Promise<WasmModule>): Promise<WasmModule> {
  const known = key === undefined ? undefined : modules.get(key);
  if (known !== undefined) {
    return known;
  }
  const module = compile();
  if (key !== undefined) {
    modules.set(key, module);
    module.catch(() => modules.delete(key));
  }
  return module;
}
