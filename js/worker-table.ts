/** A value of this side that the other side knows by a number. */
interface Exported {
  readonly value: unknown;
  /** How often it was sent and not given back. */
  count: number;
}

/** What stands on this side for a value of the other, and how often that came. */
interface Stub {
  readonly id: number;
  count: number;
  readonly object: WeakRef<object>;
}

/**
 * The values of one side of a {@link Wire} that do not cross themselves, and what stands for those of the other side.
 *
 * Each time one is sent counts, and so does each time one comes: once the collector has found what stands for a value, the other
 * side is told how often it had come. Only when that is as often as it was sent, nothing can be under way any more, and the
 * value is let go of. A circle that goes through both sides, of functions that hold each other, is never found: it lives until
 * the worker ends.
 */
export class Table {
  readonly #exports = new Map<number, Exported>();
  readonly #ids = new Map<unknown, number>();
  readonly #stubs = new Map<number, Stub>();
  /** The numbers that the other side has given to what our stubs stand for. */
  readonly #origins = new WeakMap<object, number>();
  readonly #registry: FinalizationRegistry<Stub>;
  #lastId = 0;

  /** @param released is told what was let go of, and how often that had come */
  constructor(released: (id: number, count: number) => void) {
    this.#registry = new FinalizationRegistry((stub) => {
      // It may have come anew since, and have another stub.
      if (this.#stubs.get(stub.id) === stub) {
        this.#stubs.delete(stub.id);
      }
      released(stub.id, stub.count);
    });
  }

  /** How many values the other side holds. */
  get size(): number {
    return this.#exports.size;
  }

  /** The number of a value that is sent, which counts as sent from now on. */
  send(value: unknown): number {
    let id = this.#ids.get(value);
    if (id === undefined) {
      id = this.#add(value);
      this.#ids.set(value, id);
    }
    return this.#count(id);
  }

  /** The same, with a number of its own each time. */
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

  /** Takes a value back that was sent so many times. */
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

  /** The value of this side behind a number that the other side has. */
  exported(id: number): unknown {
    const exported = this.#exports.get(id);
    if (exported === undefined) {
      throw new Error(`internal: there is no value ${id}`);
    }
    return exported.value;
  }

  /** The number of the value of the other side that an object stands for, if it does. */
  originOf(object: object): number | undefined {
    return this.#origins.get(object);
  }

  /** What stands for a value of the other side that has come: made, if there is nothing yet. */
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

  /** Lets go of everything: the other side is gone. */
  clear(): void {
    this.#exports.clear();
    this.#ids.clear();
    this.#stubs.clear();
  }
}
