/** Links of an element in a {@link Recency}; undefined while it is in none. */
export interface Recent<T> {
  newer: T | undefined;
  older: T | undefined;
}

/** Elements in the order of their last use, as a linked list: every operation takes constant time. */
export class Recency<T extends Recent<T>> {
  #newest: T | undefined;
  #oldest: T | undefined;

  /** Takes an element in as the newest, wherever it was before. */
  touch(element: T): void {
    if (element === this.#newest) return;
    this.remove(element);
    element.older = this.#newest;
    if (this.#newest) this.#newest.newer = element;
    this.#newest = element;
    this.#oldest ??= element;
  }

  remove(element: T): void {
    const { newer, older } = element;
    if (newer) newer.older = older;
    else if (element === this.#newest) this.#newest = older;
    if (older) older.newer = newer;
    else if (element === this.#oldest) this.#oldest = newer;
    element.newer = undefined;
    element.older = undefined;
  }

  /** The element unused for longest that passes the test. */
  oldest(test: (element: T) => boolean): T | undefined {
    let element = this.#oldest;
    while (element && !test(element)) element = element.newer;
    return element;
  }
}
