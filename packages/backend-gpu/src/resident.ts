/** Tensors whose values stay on a device, which is a bounded cache in front of JavaScript's own memory. */
import {
  BackendError,
  type Buffer,
  type DType,
  hostArray,
  InternalError,
  Recency,
  type Recent,
  showAval,
  type TypedArray,
} from '@neumann/core/backend';
import { upload as checked, fromFloats } from './buffer.ts';
import type { Device, Handle } from './device.ts';
import type { Emitted } from './emit/emit.ts';
import type { Machine } from './executable.ts';

/** Whether integers on the way to a value were exact: known at once, or when the device has answered. */
interface Doubt {
  error: Error | undefined;
  settled: boolean;
  readonly answer: Promise<void>;
}

/** A value on the host, on the device, or on both. */
export class Value implements Recent<Value> {
  newer: Value | undefined;
  older: Value | undefined;
  readonly dtype: DType;
  readonly size: number;
  memory: TypedArray | undefined;
  handle: Handle | undefined;
  doubts: readonly Doubt[] = [];

  constructor(dtype: DType, size: number, parts: { memory?: TypedArray; handle?: Handle }) {
    this.dtype = dtype;
    this.size = size;
    this.memory = parts.memory;
    this.handle = parts.handle;
  }
}

/** What tensors hold. The device's memory is given back when nobody reaches it. */
class ResidentBuffer implements Buffer {
  readonly dtype: DType;
  readonly size: number;
  value: Value | undefined;

  constructor(value: Value) {
    this.dtype = value.dtype;
    this.size = value.size;
    this.value = value;
  }
}

export class Residents implements Machine<Value> {
  readonly dialect;
  readonly checksOutputs = true;
  readonly #device: Device;
  readonly #maxBytes: number;
  readonly #recency = new Recency<Value>();
  /** Values of tensors, while they are on the device; the registry holds ids, so that it keeps nothing alive. */
  readonly #table = new Map<number, Value>();
  readonly #registry = new FinalizationRegistry<number>((id) => {
    const value = this.#table.get(id);
    this.#table.delete(id);
    if (value) this.release(value);
  });
  #ids = 0;
  #bytes = 0;

  constructor(device: Device, maxBytes: number) {
    this.#device = device;
    this.#maxBytes = maxBytes;
    this.dialect = device.dialect;
  }

  /** Bytes on the device, and how many tensors hold them. */
  get held(): { readonly bytes: number; readonly values: number } {
    return { bytes: this.#bytes, values: this.#table.size };
  }

  upload(dtype: DType, values: TypedArray): Buffer {
    const memory = checked(dtype, values).memory as TypedArray;
    return this.#own(new Value(dtype, values.length, { memory }));
  }

  async download(buffer: Buffer): Promise<TypedArray> {
    const value = this.ofBuffer(buffer);
    this.#device.check();
    const array =
      value.memory ?? fromFloats(value.dtype, await this.#device.read(value.handle as Handle), 'a result');
    for (const { answer } of value.doubts) await answer;
    for (const { error } of value.doubts) if (error) throw error;
    return array.slice();
  }

  downloadSync(buffer: Buffer): TypedArray {
    return this.host(this.ofBuffer(buffer), 'dataSync()').slice();
  }

  ofBuffer(buffer: Buffer | undefined): Value {
    if (!(buffer instanceof ResidentBuffer))
      throw new InternalError('gpu: this buffer belongs to another backend.');
    if (!buffer.value)
      throw new InternalError(
        `gpu: a donated buffer ${showAval({ dtype: buffer.dtype, shape: [buffer.size] })} was used again.`,
      );
    return buffer.value;
  }

  toBuffer(_: DType, value: Value): Buffer {
    return this.#own(value);
  }

  host(value: Value, what: string): TypedArray {
    this.#device.check();
    if (value.memory) return value.memory;
    const { readSync } = this.#device;
    if (!readSync)
      throw new BackendError(
        `gpu: ${what} needs values now, but WebGPU gives them only to those who wait: use await x.data() outside of ` +
          `jit, or mode 'webgl2'.`,
      );
    const floats = readSync.call(this.#device, value.handle as Handle);
    value.memory = fromFloats(value.dtype, floats, 'a result');
    return value.memory;
  }

  ofHost(dtype: DType, memory: TypedArray): Value {
    return new Value(dtype, memory.length, { memory });
  }

  run(program: Emitted, operands: readonly Value[], dtype: DType): Value {
    const handles = program.inputs.map(({ input }) => this.#handleOf(operands[input] as Value));
    if (handles.length > this.#device.maxInputs || program.size > this.#device.maxElements)
      throw new BackendError(
        `gpu: kernel ${program.name} reads ${handles.length} arrays and has ${program.size} results, but this device takes ` +
          `${this.#device.maxInputs} and ${this.#device.maxElements}; run it on another backend, or without jit.`,
      );
    this.#makeRoom(4 * program.size, operands);
    const value = new Value(dtype, program.size, { handle: this.#device.run(program, handles) });
    this.#bytes += 4 * program.size;
    value.doubts = [...new Set(operands.flatMap(({ doubts }) => doubts))].filter(
      ({ error, settled }) => error || !settled,
    );
    return value;
  }

  guard(value: Value, check: Emitted, operands: readonly Value[], error: () => Error): void {
    const flags = this.run(check, operands, 'bool');
    if (this.#device.readSync) {
      const left = this.#device.readSync(flags.handle as Handle).includes(1);
      this.release(flags);
      if (left) throw error();
      return;
    }
    const doubt: Doubt = {
      error: undefined,
      settled: false,
      answer: this.#device
        .read(flags.handle as Handle)
        .then(
          (answer) => {
            if (answer.includes(1)) doubt.error = error();
          },
          (cause: unknown) => {
            doubt.error = cause as Error;
          },
        )
        .finally(() => {
          doubt.settled = true;
          this.release(flags);
        }),
    };
    value.doubts = [...value.doubts, doubt];
  }

  release(value: Value): void {
    if (!value.handle) return;
    this.#recency.remove(value);
    this.#device.free(value.handle);
    this.#bytes -= 4 * value.size;
    value.handle = undefined;
  }

  donate(buffer: Buffer): void {
    const held = buffer as ResidentBuffer;
    if (held.value) this.release(held.value);
    held.value = undefined;
  }

  #own(value: Value): Buffer {
    const buffer = new ResidentBuffer(value);
    const id = this.#ids++;
    this.#table.set(id, value);
    this.#registry.register(buffer, id);
    if (value.handle) this.#recency.touch(value);
    return buffer;
  }

  #handleOf(value: Value): Handle {
    if (!value.handle) {
      const memory = value.memory as TypedArray;
      const bytes = 4 * value.size;
      this.#makeRoom(bytes, [value]);
      const floats = hostArray('float32', Math.max(1, memory.length)) as Float32Array;
      floats.set(memory);
      value.handle = this.#device.upload(floats);
      this.#bytes += bytes;
    }
    this.#recency.touch(value);
    return value.handle;
  }

  /** Values used longest ago move to the host; where the mode cannot read at once, those that are there already. */
  #makeRoom(bytes: number, keep: readonly Value[]): void {
    while (this.#bytes + bytes > this.#maxBytes) {
      const oldest = this.#recency.oldest(
        (value) => !keep.includes(value) && Boolean(value.memory ?? this.#device.readSync),
      );
      if (!oldest) return; // the device itself tells when it is full
      this.host(oldest, 'room on the device');
      this.release(oldest);
    }
  }
}
