import { Recency, type Recent } from './recency.ts';

interface Entry<T> extends Recent<Entry<T>> {
  readonly key: string;
  readonly value: T;
}

/** A map that holds at most so many entries: those used last. */
export class Lru<T> {
  readonly #entries = new Map<string, Entry<T>>();
  readonly #recency = new Recency<Entry<T>>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): T | undefined {
    const entry = this.#entries.get(key);
    if (entry) this.#recency.touch(entry);
    return entry?.value;
  }

  set(key: string, value: T): void {
    const before = this.#entries.get(key);
    if (before) this.#recency.remove(before);
    const entry: Entry<T> = { key, value, newer: undefined, older: undefined };
    this.#entries.set(key, entry);
    this.#recency.touch(entry);
    if (this.#entries.size <= this.#most) return;
    const oldest = this.#recency.oldest(() => true) as Entry<T>;
    this.#recency.remove(oldest);
    this.#entries.delete(oldest.key);
  }

  clear(): void {
    this.#entries.clear();
    for (let e = this.#recency.oldest(() => true); e; e = this.#recency.oldest(() => true))
      this.#recency.remove(e);
  }
}
