/** Tensors whose values stay on a device, which is a bounded cache in front of JavaScript's own memory. */
import {
  BackendError,
  type Buffer,
  type DType,
  hostArray,
  InternalError,
  type Kernel,
  Recency,
  type Recent,
  showAval,
  type TypedArray,
} from '@neumann/core/backend';
import { upload as checked, fromFloats } from './buffer.ts';
import type { Device, Handle } from './device.ts';
import { type Emitted, emit } from './emit/emit.ts';
import type { Machine, Rows, Work } from './executable.ts';
import { joinKernel, rowKernel } from './rows.ts';
import type { StageLimits } from './stages/part.ts';

/** What keeps a graphics processor busy. */
const busy = { threads: 2 ** 14, fold: 2048 };

/** Whether integers on the way to a value were exact: known at once, or when the device has answered. */
interface Doubt {
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
  readonly limits: StageLimits;
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
  /** Until all work that was started has been done. */
  #last: Promise<void> | undefined;
  #ids = 0;
  #bytes = 0;

  constructor(device: Device, maxBytes: number) {
    this.#device = device;
    this.#maxBytes = maxBytes;
    this.dialect = device.dialect;
    this.limits = { maxInputs: device.maxInputs, ...busy };
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
    value.pins++;
    try {
      if (this.#last) await this.#last;
      return (await this.#read(value)).slice();
    } finally {
      this.#unpin(value);
    }
  }

  downloadSync(buffer: Buffer): TypedArray {
    const value = this.ofBuffer(buffer);
    this.#device.check();
    if (value.error) throw value.error;
    const elements = this.#hostNow(value);
    if (elements) return elements.slice();
    throw new BackendError(
      `gpu: dataSync() needs values now, but WebGPU gives them only to those who wait: use await x.data() outside of ` +
        `jit, or mode 'webgl2'.`,
    );
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

  start(
    operands: readonly Value[],
    results: readonly Pick<Buffer, 'dtype' | 'size'>[],
    work: () => Work<Value[]>,
  ): Buffer[] {
    const before = this.#last;
    if (before || operands.some(({ error }) => error))
      return this.#promise(operands, results, async () => {
        await before;
        for (const { error } of operands) if (error) throw error;
        return await finish(work());
      });
    const running = work();
    const step = running.next();
    if (step.done) return step.value.map((value) => this.#own(value));
    return this.#promise(operands, results, () => finish(running, step.value));
  }

  /** Buffers whose values are there, or are known never to be, when `run` has ended. */
  #promise(
    operands: readonly Value[],
    results: readonly Pick<Buffer, 'dtype' | 'size'>[],
    run: () => Promise<Value[]>,
  ): Buffer[] {
    const values = results.map(({ dtype, size }) => new Value(dtype, size, {}));
    const needed = [...operands, ...values];
    for (const value of needed) value.pins++;
    const buffers = values.map((value) => this.#own(value));
    const settled = run()
      .then(
        (made) => {
          for (const [i, value] of values.entries()) this.#move(made[i] as Value, value);
        },
        (error: unknown) => {
          for (const value of values) value.error = error as Error;
        },
      )
      .then(() => {
        if (this.#last === settled) this.#last = undefined;
        for (const value of needed) this.#unpin(value);
      });
    this.#last = settled;
    return buffers;
  }

  #move(from: Value, to: Value): void {
    const { memory, handle, doubts } = from;
    Object.assign(to, { memory, handle, doubts });
    this.#recency.remove(from);
    if (handle) this.#recency.touch(to);
  }

  host(value: Value): TypedArray | Promise<TypedArray> {
    this.#device.check();
    return this.#hostNow(value) ?? this.#arrived(value);
  }

  /** The elements if nobody has to wait for them; they stay on the host too. */
  #hostNow(value: Value): TypedArray | undefined {
    const { readSync } = this.#device;
    if (!value.memory && value.handle && readSync)
      value.memory = fromFloats(value.dtype, readSync.call(this.#device, value.handle), 'a result');
    return value.memory;
  }

  async #arrived(value: Value): Promise<TypedArray> {
    value.memory = await this.#read(value);
    return value.memory;
  }

  async #read(value: Value): Promise<TypedArray> {
    if (value.error) throw value.error;
    this.#device.check();
    const elements =
      value.memory ?? fromFloats(value.dtype, await this.#device.read(value.handle as Handle), 'a result');
    for (const { answer } of value.doubts) await answer;
    for (const { error } of value.doubts) if (error) throw error;
    return elements;
  }

  ofHost(dtype: DType, memory: TypedArray): Value {
    return new Value(dtype, memory.length, { memory });
  }

  rows(dtype: DType, length: number, size: number): Rows<Value> {
    const programs = new Map<string, Emitted>();
    const programOf = (key: string, kernel: () => Kernel): Emitted => {
      const program = programs.get(key) ?? emit(kernel(), 0, this.dialect);
      programs.set(key, program);
      return program;
    };
    const empty = (): Value => this.ofHost(dtype, hostArray(dtype, 0));
    const arity = Math.min(8, this.#device.maxInputs);
    const joinFew = (parts: readonly Value[]): Value => {
      const counts = parts.map((part) => part.size / size);
      return this.run(
        programOf(counts.join(), () => joinKernel(dtype, counts, size)),
        parts,
        dtype,
      );
    };
    return {
      at: (stack, row) => {
        if (stack.memory) return this.ofHost(dtype, stack.memory.subarray(row * size, (row + 1) * size));
        const at = this.ofHost('int32', Int32Array.of(row));
        const value = this.run(
          programOf('row', () => rowKernel(dtype, length, size)),
          [stack, at],
          dtype,
        );
        this.release(at);
        return value;
      },
      join: (rows) => {
        if (length * size === 0) return empty();
        let parts = rows;
        while (parts.length > 1) {
          const groups = Array.from({ length: Math.ceil(parts.length / arity) }, (_, i) =>
            parts.slice(i * arity, (i + 1) * arity),
          );
          parts = groups.map((group) => {
            if (group.length === 1) return group[0] as Value;
            const joined = joinFew(group);
            for (const part of group) this.release(part);
            return joined;
          });
        }
        return parts[0] as Value;
      },
    };
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
    if (value.pins > 0) value.isDropped = true;
    else this.#evict(value);
  }

  #unpin(value: Value): void {
    value.pins--;
    if (value.pins === 0 && value.isDropped) this.#evict(value);
  }

  #evict(value: Value): void {
    if (!value.handle) return;
    this.#recency.remove(value);
    this.#device.free(value.handle);
    this.#bytes -= 4 * value.size;
    value.handle = undefined;
  }

  donate(buffer: Buffer): void {
    (buffer as ResidentBuffer).value = undefined;
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
    if (value.handle && value.memory && !this.#device.usable(value.handle)) this.#evict(value);
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
      this.#hostNow(oldest);
      this.#evict(oldest);
    }
  }
}

/** Does what is left of some work, which waits for `first` already if that is there. */
async function finish<T>(work: Work<T>, first?: Promise<unknown>): Promise<T> {
  let step: IteratorResult<Promise<unknown>, T> = first ? { done: false, value: first } : work.next();
  while (!step.done) {
    try {
      const arrived = await step.value;
      step = work.next(arrived);
    } catch (error) {
      work.throw(error); // which throws it again, when it has cleaned up
    }
  }
  return step.value;
}
