/** How many places may be empty before they are given back. */
const SPARE = 1_024;

/** What is added at the end and taken from the beginning, both at once however long it is; and read at any place. */
export class Queue<T> implements Iterable<T> {
  #items: T[] = [];
  /** Where the first one is. */
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  /** The one at a place, from 0. */
  at(index: number): T | undefined {
    return this.#items[this.#head + index];
  }

  push(item: T): void {
    this.#items.push(item);
  }

  shift(): T | undefined {
    const item = this.#items[this.#head];
    if (this.length > 0) {
      // So that it can be collected.
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
