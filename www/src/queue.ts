/** The number of empty slots before they are freed. */
const SPARE = 1_024;

/** A queue with indexed access. Adding and removing items takes constant time, no matter how long the queue is. */
export class Queue<T> implements Iterable<T> {
  #items: T[] = [];
  /** The index of the first item. */
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  /** Returns the item at an index, from 0. */
  at(index: number): T | undefined {
    return this.#items[this.#head + index];
  }

  push(item: T): void {
    this.#items.push(item);
  }

  shift(): T | undefined {
    const item = this.#items[this.#head];
    if (this.length > 0) {
      // Lets the item be collected.
      this.#items[this.#head++] = undefined as T;
      if (this.#head > SPARE && this.#head * 2 > this.#items.length) {
        this.#items = this.#items.slice(this.#head);
        this.#head = 0;
      }
    }
    return item;
  }

  *[Symbol.iterator](): Iterator<T> {
    for (let index = 0; index < this.length; index++) {
      yield this.at(index) as T;
    }
  }
}
