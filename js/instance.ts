import { LuauError } from "./errors.js";
import { createGlue, type Glue } from "./glue.js";
import type { Isolation } from "./options.js";
import type { WasmModule } from "./platform.js";
import { closeAll, type Socket } from "./sockets.js";

/** An instance of the WebAssembly module: its memory, and the VMs in it. */
export class Instance {
  /** The promises that are not settled, by the functions that reject them. */
  readonly pending = new Map<(error: unknown) => void, Promise<unknown>>();
  /** The sockets that are not closed. */
  readonly sockets = new Set<Socket>();
  /** What its module was made from; undefined for what nobody can ask for again. */
  readonly key: unknown;
  readonly isolation: Isolation;
  /** Settled when VMs can be made. */
  readonly ready: Promise<void>;
  readonly #glue: Glue;
  #vms = 0;
  #fault: unknown;

  constructor(module: Promise<WasmModule>, key: unknown, isolation: Isolation) {
    this.key = key;
    this.isolation = isolation;
    this.#glue = createGlue((thrown) => this.#end(thrown));
    this.ready = module.then(async (compiled) => {
      // What it gives, all exports, would keep the memory as long as this promise is there.
      await this.#glue.instantiate(compiled);
    });
  }

  /** Whether no more calls are possible. */
  get hasEnded(): boolean {
    return this.#fault !== undefined;
  }

  get Vm(): Glue["Vm"] {
    return this.#glue.Vm;
  }

  /** How many VMs it has, those that are being made included. */
  get vms(): number {
    return this.#vms;
  }

  /** Counts a VM that is being made. */
  enter(): void {
    this.#vms++;
    live.add(this);
  }

  /**
   * Counts a VM out. After the last one the memory is given back.
   *
   * @param reason what calls throw from then on
   */
  leave(reason: unknown): void {
    this.#vms--;
    // A function that a script has called may have disposed its VM: the frames of the instance are gone when a microtask runs.
    queueMicrotask(() => {
      if (this.#vms === 0) {
        this.#close(reason);
      }
    });
  }

  /**
   * Calls into the instance.
   *
   * @throws LuauError when it has ended, or ends in this call: of kind `terminated` after a fault, else what the last VM left with
   */
  call<T>(call: () => T): T {
    if (this.#fault !== undefined) {
      throw this.#fault;
    }
    try {
      return call();
    } catch (error) {
      throw this.#fault ?? error;
    }
  }

  #close(reason: unknown): void {
    live.delete(this);
    if (this.#fault === undefined) {
      this.#fault = reason;
      this.#glue.close(reason);
    }
  }

  #end(thrown: unknown): void {
    live.delete(this);
    this.#fault = new LuauError(
      "the WebAssembly instance ended after an internal fault, and all its VMs with it: make new ones. Please report what led to it",
      { kind: "terminated", cause: thrown },
    );
    closeAll(this.sockets);
    for (const [reject, promise] of this.pending) {
      // The call that was to hand it out may be the one that has just failed.
      promise.catch(() => {});
      reject(this.#fault);
    }
    this.pending.clear();
  }
}

/** The instances that have VMs. */
const live = new Set<Instance>();

/** Of so many instances each has one VM; more VMs share them. Chromium allows 125 in a process. */
const MOST_INSTANCES = 64;

/** The modules by what they were made from, so that each is loaded once. */
const modules = new Map<unknown, Promise<WasmModule>>();

/**
 * An instance for another VM, which is counted in: {@link Instance.leave} counts it out.
 *
 * @param key what tells the sources of modules apart; undefined for one that cannot come again
 * @param compile makes the module. What failed is tried again the next time.
 */
export async function enterInstance(
  key: unknown,
  isolation: Isolation,
  compile: () => Promise<WasmModule>,
): Promise<Instance> {
  const fresh = () => new Instance(moduleOf(key, compile), key, isolation);
  const others = [...live].filter((other) => key !== undefined && other.key === key);
  if (isolation === "shared") {
    const instance = others.find((other) => other.isolation === "shared") ?? fresh();
    await enter(instance);
    // A script of another VM may have ended it meanwhile.
    return instance.hasEnded ? enterInstance(key, isolation, compile) : instance;
  }
  const own = others.filter((other) => other.isolation === "instance");
  const [crowded] = own.sort((one, other) => one.vms - other.vms);
  const instance = crowded !== undefined && live.size >= MOST_INSTANCES ? crowded : fresh();
  try {
    await enter(instance);
  } catch (error) {
    // The module is good, since others have it: the engine has no room for another instance.
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
