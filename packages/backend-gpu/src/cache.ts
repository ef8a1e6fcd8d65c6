/** The memory of a device: a bounded cache of values, in front of JavaScript's own memory. */
import { type DType, hostArray, Recency, type Recent, type TypedArray } from '@neumann/core/backend';
import { fromFloats, toFloats } from './buffer.ts';
import type { Device, Handle } from './device.ts';
import { floatsPer } from './limits.ts';

/** Bytes that a device spends on the smallest value. */
const least = 4096;

/** Whether integers on the way to a value were exact: known at once, or when the device has answered. */
export interface Doubt {
  error: Error | undefined;
  settled: boolean;
  readonly answer: Promise<void>;
}

/** A value on the host, on the device, or on both; on neither until the work that makes it has been done. */
export class Value implements Recent<Value> {
  newer: Value | undefined;
  older: Value | undefined;
  readonly dtype: DType;
  readonly size: number;
  memory: TypedArray | undefined;
  handle: Handle | undefined;
  doubts: readonly Doubt[] = [];
  /** Why there will never be a value. */
  error: Error | undefined;
  /** Started work that uses the value or makes it. */
  pins = 0;
  /** To be released when nothing that was started needs it any more. */
  isDropped = false;
  /** Of the buffer that holds it. */
  id: number | undefined;
  /** On its way to the host. */
  isLeaving = false;

  constructor(dtype: DType, size: number, memory?: TypedArray) {
    this.dtype = dtype;
    this.size = size;
    this.memory = memory;
  }

  /** What it takes on the device. */
  get bytes(): number {
    return Math.max(least, 4 * this.size * floatsPer(this.dtype));
  }
}

export class Cache {
  readonly #device: Device;
  readonly #maxBytes: number;
  readonly #recency = new Recency<Value>();
  /** Values of buffers, while they are on the device; the registry holds ids, so that neither keeps anything else alive. */
  readonly #table = new Map<number, Value>();
  readonly #registry = new FinalizationRegistry<number>((id) => {
    const value = this.#table.get(id);
    if (value) this.release(value);
  });
  #ids = 0;
  #bytes = 0;

  constructor(device: Device, maxBytes: number) {
    this.#device = device;
    this.#maxBytes = maxBytes;
  }

  /** When nobody reaches the buffer any more, the value leaves the device. */
  own(value: Value, buffer: object): void {
    value.id = this.#ids++;
    this.#registry.register(buffer, value.id);
    if (value.handle) this.#table.set(value.id, value);
  }

  /** The value is on the device from now on. */
  put(value: Value, handle: Handle): void {
    value.handle = handle;
    this.#bytes += value.bytes;
    this.#recency.touch(value);
    if (value.id !== undefined) this.#table.set(value.id, value);
  }

  /** Gives what one value holds to another, which has nothing yet. */
  move(from: Value, to: Value): void {
    const { memory, handle, doubts } = from;
    Object.assign(to, { memory, doubts });
    if (!handle) return;
    this.#forget(from);
    this.put(to, handle);
  }

  /** Where the values are on the device: those that were not are uploaded, and none goes for another. */
  handlesOf(values: readonly Value[]): Handle[] {
    return values.map((value) => {
      if (value.handle && value.memory && !this.#device.usable(value.handle)) this.evict(value);
      if (!value.handle) {
        this.makeRoom(value.bytes, values);
        const numbers = toFloats(value.memory as TypedArray);
        const floats = hostArray('float32', Math.max(1, numbers.length)) as Float32Array;
        floats.set(numbers);
        this.put(value, this.#device.upload(floats));
      }
      this.#recency.touch(value);
      return value.handle as Handle;
    });
  }

  /** The elements if nobody has to wait for them; they stay on the host too. */
  hostNow(value: Value): TypedArray | undefined {
    const { readSync } = this.#device;
    if (!value.memory && value.handle && readSync)
      value.memory = fromFloats(value.dtype, readSync.call(this.#device, value.handle), 'a result');
    return value.memory;
  }

  /** Values used longest ago move to the host; where the mode cannot read at once, those that are there already. */
  makeRoom(bytes: number, keep: readonly Value[]): void {
    while (this.#bytes + bytes > this.#maxBytes) {
      const oldest = this.#recency.oldest(
        (value) => !keep.includes(value) && Boolean(value.memory ?? this.#device.readSync),
      );
      if (!oldest) return; // there will be room before the next step
      this.hostNow(oldest);
      this.evict(oldest);
    }
  }

  /** Where nobody reads at once, and too much is on the device: values used longest ago move to the host meanwhile. */
  room(): Promise<void> | undefined {
    if (this.#device.readSync || this.#bytes <= this.#maxBytes) return undefined;
    return this.#move();
  }

  async #move(): Promise<void> {
    let before = Infinity;
    while (this.#bytes > this.#maxBytes && this.#bytes < before) {
      before = this.#bytes; // if nothing has moved, because nothing can be read, whoever reads it is told
      const moving: Promise<void>[] = [];
      let left = before;
      // Not too many at once, because what is read takes memory too; some more than necessary, to wait less often.
      while (left > 0.75 * this.#maxBytes && before - left < this.#maxBytes / 4) {
        const oldest = this.#recency.oldest((value) => !value.isLeaving);
        if (!oldest) break;
        left -= oldest.bytes;
        moving.push(this.#moveOne(oldest));
      }
      await Promise.all(moving);
    }
  }

  async #moveOne(value: Value): Promise<void> {
    value.isLeaving = true;
    try {
      value.memory ??= fromFloats(value.dtype, await this.#device.read(value.handle as Handle), 'a result');
      this.evict(value);
    } catch {
      // whoever reads the value is told
    } finally {
      value.isLeaving = false;
    }
  }

  /** Nobody needs the value on the device, but for work that was started. */
  release(value: Value): void {
    if (value.pins > 0) value.isDropped = true;
    else this.evict(value);
  }

  unpin(value: Value): void {
    value.pins--;
    if (value.pins === 0 && value.isDropped) this.evict(value);
  }

  evict(value: Value): void {
    const { handle } = value;
    if (!handle) return;
    this.#forget(value);
    this.#device.free(handle);
  }

  #forget(value: Value): void {
    value.handle = undefined;
    this.#bytes -= value.bytes;
    this.#recency.remove(value);
    if (value.id !== undefined) this.#table.delete(value.id);
  }
}
