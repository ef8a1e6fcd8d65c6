const PAGE = 65536;
const ALIGN = 64;
/** Memory grows by at least this much, so that it does so rarely. */
const STEP = 256 * PAGE;

/** Vectors may read this far beyond the end of a block: what they find there is not used. */
const SLACK = 64;

/** Addresses below are never given out; in particular not 0. */
export const HEAP_START: number = PAGE;

/** What a block of `bytes` really takes: whole cache lines, at least one. */
export function blockSize(bytes: number): number {
  return Math.max(ALIGN, Math.ceil(bytes / ALIGN) * ALIGN);
}

/**
 * Blocks of a WebAssembly memory: first fit in a list of free spans, sorted by address, in which neighbours are joined.
 */
export class Heap {
  readonly #memory: WebAssembly.Memory;
  readonly #limit: number;
  /** Free spans below {@link #top}; none touches another or the top. */
  readonly #spans: { start: number; size: number }[] = [];
  #top = HEAP_START;

  /** `limit` is the address that no block may reach beyond. */
  constructor(memory: WebAssembly.Memory, limit: number) {
    this.#memory = memory;
    this.#limit = limit;
  }

  /** The address of a new block, or `undefined` if no free span is large enough. */
  allocate(bytes: number): number | undefined {
    const size = blockSize(bytes);
    const at = this.#spans.findIndex((span) => span.size >= size);
    const span = this.#spans[at];
    if (!span) return this.#extend(size);
    const { start } = span;
    if (span.size === size) this.#spans.splice(at, 1);
    else {
      span.start += size;
      span.size -= size;
    }
    return start;
  }

  /** Takes a block back; `bytes` as it was allocated with. */
  free(address: number, bytes: number): void {
    const size = blockSize(bytes);
    const at = this.#firstAfter(address);
    const before = this.#spans[at - 1];
    const after = this.#spans[at];
    const joinsBefore = before !== undefined && before.start + before.size === address;
    const joinsAfter = after !== undefined && address + size === after.start;
    if (joinsBefore && joinsAfter) {
      before.size += size + after.size;
      this.#spans.splice(at, 1);
    } else if (joinsBefore) before.size += size;
    else if (joinsAfter) {
      after.start = address;
      after.size += size;
    } else this.#spans.splice(at, 0, { start: address, size });
    const last = this.#spans.at(-1);
    if (last && last.start + last.size === this.#top) {
      this.#top = last.start;
      this.#spans.pop();
    }
  }

  #extend(size: number): number | undefined {
    const start = this.#top;
    if (start + size + SLACK > this.#limit) return undefined;
    const missing = start + size + SLACK - this.#memory.buffer.byteLength;
    if (missing > 0 && !this.#grow(missing)) return undefined;
    this.#top += size;
    return start;
  }

  #grow(missing: number): boolean {
    const room = this.#limit - this.#memory.buffer.byteLength;
    for (const bytes of [Math.min(Math.max(missing, STEP), room), missing]) {
      try {
        this.#memory.grow(Math.ceil(bytes / PAGE));
        return true;
      } catch {
        // the system has not that much; try with less
      }
    }
    return false;
  }

  /** Index of the first free span behind an address. */
  #firstAfter(address: number): number {
    let [low, high] = [0, this.#spans.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#spans[middle]?.start ?? 0) < address) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
