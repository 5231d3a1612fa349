import { LuauError } from "./errors.js";
import { createGlue, type Glue } from "./glue.js";
import type { WasmModule } from "./platform.js";
import { closeAll, type Socket } from "./sockets.js";

/** An instance of the WebAssembly module, which all VMs made from that module share. */
export class Instance {
  /** The promises that are not settled, by the functions that reject them. */
  readonly pending = new Map<(error: unknown) => void, Promise<unknown>>();
  /** The sockets that are not closed. */
  readonly sockets = new Set<Socket>();
  readonly #glue: Glue;
  #fault: LuauError | undefined;

  private constructor() {
    this.#glue = createGlue((thrown) => this.#end(thrown));
  }

  static async of(module: WasmModule): Promise<Instance> {
    const instance = new Instance();
    await instance.#glue.instantiate(module);
    return instance;
  }

  /** Why the instance is gone, if it is. */
  get fault(): LuauError | undefined {
    return this.#fault;
  }

  get Vm(): Glue["Vm"] {
    return this.#glue.Vm;
  }

  /**
   * Calls into the instance.
   *
   * @throws LuauError of kind `terminated` when it is gone, or ends in this call.
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

  #end(thrown: unknown): void {
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

/** The instances by what their modules were made from, so that each is loaded once. */
const instances = new Map<unknown, { module: Promise<WasmModule>; instance: Promise<Instance> }>();

/**
 * The instance for a key, made the first time, and after it ended. What failed is tried again the next time.
 *
 * @param key what tells the sources apart; undefined for one that cannot come again
 */
export async function instanceOf(key: unknown, compile: () => Promise<WasmModule>): Promise<Instance> {
  if (key === undefined) {
    return Instance.of(await compile());
  }
  const known = instances.get(key);
  if (known !== undefined) {
    const instance = await known.instance;
    if (instance.fault === undefined) {
      return instance;
    }
  }
  // Another caller may have made the new one while this one waited.
  const latest = instances.get(key);
  if (latest !== undefined && latest !== known) {
    return latest.instance;
  }
  const module = known?.module ?? compile();
  const entry = { module, instance: module.then((compiled) => Instance.of(compiled)) };
  instances.set(key, entry);
  entry.instance.catch(() => {
    if (instances.get(key) === entry) {
      instances.delete(key);
    }
  });
  return entry.instance;
}
