import { BackendError, Recency, type Recent } from '@neumann/core/backend';
import { blockSize, Heap } from './heap.ts';

/**
 * The bytes of a tensor: resident at an address of the WebAssembly memory, or spilled to an ordinary ArrayBuffer.
 * Its lease holds a Storage; the residency holds it only while it is resident.
 */
export interface Storage extends Recent<Storage> {
  readonly id: number;
  readonly bytes: number;
  /** 0 while spilled. */
  address: number;
  spilled: ArrayBuffer | undefined;
  /** Whether the end of its lease will be reported. Not so while it is spilled: then there is nothing to free. */
  owned: boolean;
  /** The run that uses it; it is not spilled meanwhile. */
  run: number;
}

/** What a handle has, and hands on when it is donated: JavaScript collects it with the last handle. */
export interface Lease {
  readonly storage: Storage;
  /** Tells JavaScript what hangs on it. */
  readonly weight: ArrayBuffer | undefined;
}

/** What `CpuBackend.memory()` counts. */
export interface MemoryStatistics {
  /** Buffers in WebAssembly memory: a handle reaches them, or JavaScript has not told yet that none does. */
  readonly buffers: number;
  /** Bytes of buffers in WebAssembly memory. */
  readonly residentBytes: number;
  /** Bytes that have been moved out of it so far, to make room. JavaScript collects them with their handles. */
  readonly spilledBytes: number;
  /** Bytes of the scratch region, which all plans share. */
  readonly regionBytes: number;
  /** How much of the WebAssembly memory buffers and region may take. */
  readonly budgetBytes: number;
  /** Size of the WebAssembly memory; it never shrinks. */
  readonly heapBytes: number;
}

/** So much may be resident, beyond what runs need, before anything is spilled for the first time. */
const SLACK = 384 * 2 ** 20;

/**
 * A bounded cache of storages in WebAssembly memory.
 *
 * When there are too many, the least recently used storages are spilled: their bytes move to an ArrayBuffer that only
 * the handle reaches and that JavaScript collects by itself. So nothing has to be freed by hand, not even in a loop
 * that never yields. A lease's end is reported by the storage's id; holding the Storage instead would keep its bytes alive.
 * What is spilled leaves no trace here, so that nothing grows with the number of buffers that there have been.
 *
 * That happens long before the budget is reached: most of what is old is dead, and memory that was used before is
 * faster than what the system has yet to provide. What is spilled and then used was not dead: by as much, more may be
 * resident from then on, up to the budget.
 */
export class Residency {
  readonly memory: WebAssembly.Memory;
  readonly #heap: Heap;
  readonly #budget: number;
  /** The most that a run has needed. */
  #need = 0;
  /** What may be resident beyond that. */
  #slack = SLACK;
  /** By id. */
  readonly #resident = new Map<number, Storage>();
  readonly #recency = new Recency<Storage>();
  readonly #ended: FinalizationRegistry<number>;
  #residentBytes = 0;
  #spilledBytes = 0;
  #region = { address: 0, bytes: 0 };
  #nextId = 1;
  #run = 0;

  constructor(memory: WebAssembly.Memory, budget: number, limit: number) {
    this.memory = memory;
    this.#budget = budget;
    this.#heap = new Heap(memory, limit);
    this.#ended = new FinalizationRegistry((id) => this.#forget(id));
  }

  /** A new resident storage with undefined contents. */
  create(bytes: number, operation: string): Storage {
    this.#checkBudget(operation, blockSize(bytes), () => `a buffer of ${megabytes(bytes)}`);
    this.#run++;
    return this.#create(bytes) ?? this.#compacted(() => this.#create(bytes));
  }

  /** Lets a resident storage go when JavaScript has collected its lease. */
  own(lease: Lease): void {
    const { storage } = lease;
    if (storage.owned) return;
    storage.owned = true;
    this.#ended.register(lease, storage.id, storage);
  }

  /**
   * Makes everything that a run needs resident at once, and nothing else leaves meanwhile. The caller owns the inputs
   * anew: some may have been spilled.
   *
   * @returns the new storages, and the address of the scratch region.
   */
  prepare(
    inputs: readonly Storage[],
    created: readonly number[],
    regionBytes: number,
    operation: string,
  ): { created: Storage[]; region: number } {
    this.#run++;
    let inputBytes = 0;
    for (const storage of inputs) {
      if (storage.run !== this.#run) inputBytes += blockSize(storage.bytes); // not counted yet
      storage.run = this.#run;
    }
    const outputBytes = created.reduce((sum, bytes) => sum + blockSize(bytes), 0);
    const scratchBytes = blockSize(regionBytes);
    const all = inputBytes + outputBytes + scratchBytes;
    this.#checkBudget(
      operation,
      all,
      () =>
        `${megabytes(all)} at once (inputs ${megabytes(inputBytes)}, outputs ${megabytes(outputBytes)}, ` +
        `scratch ${megabytes(scratchBytes)})`,
    );
    this.#need = Math.max(this.#need, all);
    return (
      this.#tryPrepare(inputs, created, regionBytes) ??
      this.#compacted(() => this.#tryPrepare(inputs, created, regionBytes))
    );
  }

  /** A copy of the bytes. */
  read(storage: Storage): ArrayBuffer {
    if (storage.spilled) return storage.spilled.slice(0);
    return new Uint8Array(this.#view(storage)).buffer; // nothing is cleared before it is written
  }

  write(storage: Storage, bytes: Uint8Array): void {
    this.#view(storage).set(bytes);
  }

  statistics(): MemoryStatistics {
    return {
      buffers: this.#resident.size,
      residentBytes: this.#residentBytes,
      spilledBytes: this.#spilledBytes,
      regionBytes: this.#region.bytes,
      budgetBytes: this.#budget,
      heapBytes: this.memory.buffer.byteLength,
    };
  }

  #create(bytes: number): Storage | undefined {
    const address = this.#allocate(bytes);
    if (address === undefined) return undefined;
    const storage: Storage = {
      id: this.#nextId++,
      bytes,
      address,
      spilled: undefined,
      owned: false,
      run: this.#run,
      newer: undefined,
      older: undefined,
    };
    this.#admit(storage);
    return storage;
  }

  #tryPrepare(
    inputs: readonly Storage[],
    created: readonly number[],
    regionBytes: number,
  ): { created: Storage[]; region: number } | undefined {
    for (const storage of inputs) if (!this.#use(storage)) return undefined;
    if (!this.#reserveRegion(regionBytes)) return undefined;
    const storages: Storage[] = [];
    for (const bytes of created) {
      const storage = this.#create(bytes);
      if (!storage) {
        for (const made of storages) this.#forget(made.id);
        return undefined;
      }
      storages.push(storage);
    }
    return { created: storages, region: this.#region.address };
  }

  /** Makes a storage resident and the most recently used. */
  #use(storage: Storage): boolean {
    if (!storage.spilled) {
      this.#recency.touch(storage);
      return true;
    }
    const address = this.#allocate(storage.bytes);
    if (address === undefined) return false;
    storage.address = address;
    this.#view(storage).set(new Uint8Array(storage.spilled));
    this.#slack += blockSize(storage.bytes);
    storage.spilled = undefined;
    this.#admit(storage);
    return true;
  }

  #admit(storage: Storage): void {
    this.#resident.set(storage.id, storage);
    this.#recency.touch(storage);
    this.#residentBytes += blockSize(storage.bytes);
  }

  #reserveRegion(bytes: number): boolean {
    if (bytes <= this.#region.bytes) return true;
    this.#dropRegion();
    const address = this.#allocate(bytes);
    if (address === undefined) return false;
    this.#region = { address, bytes: blockSize(bytes) };
    return true;
  }

  #dropRegion(): void {
    if (this.#region.bytes > 0) this.#heap.free(this.#region.address, this.#region.bytes);
    this.#region = { address: 0, bytes: 0 };
  }

  /** Room for a block, spilling what was not used for longest. */
  #allocate(bytes: number): number | undefined {
    const most = Math.min(this.#budget, this.#need + this.#slack);
    while (this.#residentBytes + this.#region.bytes + blockSize(bytes) > most)
      if (!this.#spillOldest()) return undefined;
    let address = this.#heap.allocate(bytes);
    while (address === undefined && this.#spillOldest()) address = this.#heap.allocate(bytes);
    return address;
  }

  #spillOldest(): boolean {
    const oldest = this.#recency.oldest((storage) => storage.run !== this.#run);
    if (oldest) this.#spill(oldest);
    return oldest !== undefined;
  }

  #spill(storage: Storage): void {
    storage.spilled = this.read(storage);
    this.#release(storage);
    if (storage.owned) this.#ended.unregister(storage);
    storage.owned = false;
    this.#spilledBytes += storage.bytes;
  }

  /** Tries again from an empty memory: what fits the budget then finds a place, however scattered it was before. */
  #compacted<T>(attempt: () => T | undefined): T {
    for (const storage of [...this.#resident.values()]) this.#spill(storage);
    this.#dropRegion();
    const result = attempt();
    if (result === undefined)
      throw new BackendError(
        `cpu: the system gives WebAssembly no more than ${megabytes(this.memory.buffer.byteLength)} of memory; ` +
          `free memory elsewhere, or work on smaller batches.`,
      );
    return result;
  }

  #checkBudget(operation: string, bytes: number, what: () => string): void {
    if (bytes <= this.#budget) return;
    throw new BackendError(
      `cpu: ${operation} needs ${what()}, but the budget is ${megabytes(this.#budget)}; ` +
        `create the backend with cpu({ memoryMB: ${Math.ceil(bytes / 2 ** 20)} }) or more (at most 4000), or work on smaller batches.`,
    );
  }

  /** A lease has ended: its storage, if that is resident still, is free. */
  #forget(id: number): void {
    const storage = this.#resident.get(id);
    if (storage) this.#release(storage);
  }

  /** The storage is no longer resident. */
  #release(storage: Storage): void {
    this.#resident.delete(storage.id);
    this.#recency.remove(storage);
    this.#residentBytes -= blockSize(storage.bytes);
    this.#heap.free(storage.address, storage.bytes);
    storage.address = 0;
  }

  #view({ address, bytes }: Storage): Uint8Array {
    return new Uint8Array(this.memory.buffer, address, bytes);
  }
}

function megabytes(bytes: number): string {
  const value = bytes / 2 ** 20;
  return `${value < 10 ? Number(value.toFixed(2)) : Math.round(value)} MB`;
}
