import type { Emitted } from './emit/emit.ts';

/** Also what an engine bears: in `webasm` each program has a WebAssembly memory, for which 8 GB of addresses are reserved. */
const maxPrograms = 1024;

/** Bytes of arguments and results that programs may keep together, where they do. */
const maxBytes = 2 ** 30;

interface Entry<T> {
  readonly compiled: T;
  readonly bytes: number;
}

/** The compiled programs by text and sizes. When there are too many, those used longest ago are compiled anew. */
export class Programs<T> {
  readonly #compile: (program: Emitted) => T;
  readonly #destroy: (compiled: T) => void;
  readonly #bytesOf: (program: Emitted) => number;
  readonly #entries = new Map<string, Entry<T>>();
  #bytes = 0;

  /** `destroy` frees what one holds; `bytesOf` says how much memory it keeps. */
  constructor(
    compile: (program: Emitted) => T,
    destroy: (compiled: T) => void,
    bytesOf: (program: Emitted) => number = () => 0,
  ) {
    this.#compile = compile;
    this.#destroy = destroy;
    this.#bytesOf = bytesOf;
  }

  find(program: Emitted): T {
    const known = this.#entries.get(program.key);
    if (known) {
      this.#entries.delete(program.key);
      this.#entries.set(program.key, known); // used last
      return known.compiled;
    }
    const bytes = this.#bytesOf(program);
    this.#makeRoom(bytes);
    const compiled = this.#compile(program);
    this.#entries.set(program.key, { compiled, bytes });
    this.#bytes += bytes;
    return compiled;
  }

  /** Forgets all, to be compiled anew. */
  clear(): void {
    for (const key of this.#entries.keys()) this.#remove(key);
  }

  #makeRoom(bytes: number): void {
    for (const key of this.#entries.keys()) {
      if (this.#entries.size < maxPrograms && this.#bytes + bytes <= maxBytes) return;
      this.#remove(key);
    }
  }

  #remove(key: string): void {
    const { compiled, bytes } = this.#entries.get(key) as Entry<T>;
    this.#destroy(compiled);
    this.#entries.delete(key);
    this.#bytes -= bytes;
  }
}
