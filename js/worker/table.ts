/** A value of this side that the other side knows by an ID. */
interface Exported {
  readonly value: unknown;
  /** The number of times it was sent and not released. */
  count: number;
}

/** An object that represents a value of the other side, and the number of times the value arrived. */
interface Stub {
  readonly id: number;
  count: number;
  readonly object: WeakRef<object>;
}

/**
 * The values of one side of a {@link Codec} that do not cross themselves, and the stubs for those of the other side.
 *
 * Every transfer of a value is counted on both sides. When the garbage collector finds a stub, the other side learns
 * how often the value had arrived. Only if that matches the number of times it was sent, nothing is in transit, and the
 * value is released. A cycle of functions through both sides is never found: it lives until the worker ends.
 */
export class Table {
  readonly #exports = new Map<number, Exported>();
  readonly #ids = new Map<unknown, number>();
  readonly #stubs = new Map<number, Stub>();
  /** The other side's IDs of the values that our stubs represent. */
  readonly #origins = new WeakMap<object, number>();
  readonly #registry: FinalizationRegistry<Stub>;
  #lastId = 0;

  /** @param released called with the ID of a collected stub and the number of times its value had arrived */
  constructor(released: (id: number, count: number) => void) {
    this.#registry = new FinalizationRegistry((stub) => {
      // The value may have arrived again and have another stub.
      if (this.#stubs.get(stub.id) === stub) {
        this.#stubs.delete(stub.id);
      }
      released(stub.id, stub.count);
    });
  }

  /** The number of values that the other side holds. */
  get size(): number {
    return this.#exports.size;
  }

  /** Counts a value as sent and returns its ID. */
  send(value: unknown): number {
    let id = this.#ids.get(value);
    if (id === undefined) {
      id = this.#add(value);
      this.#ids.set(value, id);
    }
    return this.#count(id);
  }

  /** Does the same, with a new ID each time. */
  sendAnew(value: unknown): number {
    return this.#count(this.#add(value));
  }

  #add(value: unknown): number {
    const id = ++this.#lastId;
    this.#exports.set(id, { value, count: 0 });
    return id;
  }

  #count(id: number): number {
    const exported = this.#exports.get(id);
    if (exported !== undefined) {
      exported.count++;
    }
    return id;
  }

  /** Takes back a value that was sent `count` times. */
  release(id: number, count: number): void {
    const exported = this.#exports.get(id);
    if (exported === undefined) {
      return;
    }
    exported.count -= count;
    if (exported.count > 0) {
      return;
    }
    this.#exports.delete(id);
    if (this.#ids.get(exported.value) === id) {
      this.#ids.delete(exported.value);
    }
  }

  /** Returns this side's value with an ID that the other side uses. */
  exported(id: number): unknown {
    const exported = this.#exports.get(id);
    if (exported === undefined) {
      throw new Error(`internal: there is no value ${id}`);
    }
    return exported.value;
  }

  /** Returns the ID of the other side's value that an object represents; undefined for other objects. */
  originOf(object: object): number | undefined {
    return this.#origins.get(object);
  }

  /** Counts an arrival of the other side's value and returns its stub, creating one if necessary. */
  receive<T extends object>(id: number, make: () => T): object {
    const known = this.#stubs.get(id);
    const living = known?.object.deref();
    if (known !== undefined && living !== undefined) {
      known.count++;
      return living;
    }
    const object = make();
    const stub: Stub = { id, count: 1, object: new WeakRef(object) };
    this.#stubs.set(id, stub);
    this.#origins.set(object, id);
    this.#registry.register(object, stub);
    return object;
  }

  /** Releases everything, because the other side is gone. */
  clear(): void {
    this.#exports.clear();
    this.#ids.clear();
    this.#stubs.clear();
  }
}
