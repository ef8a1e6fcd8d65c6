/** Tensors whose values stay on a device. */
import {
  BackendError,
  type Buffer,
  type DType,
  hostArray,
  InternalError,
  type Kernel,
  showAval,
  type TypedArray,
} from '@neumann/core/backend';
import { upload as checked, fromFloats } from './buffer.ts';
import { Cache, type Doubt, Value } from './cache.ts';
import type { Device, Handle } from './device.ts';
import { type Emitted, emit } from './emit/emit.ts';
import type { Machine, Rows, Work } from './executable.ts';
import { floatsPer } from './limits.ts';
import { joinKernel, rowKernel } from './rows.ts';
import type { StageLimits } from './stages/part.ts';

/** What keeps a graphics processor busy. */
const busy = { threads: 2 ** 14, fold: 2048 };

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
  readonly contractionGain: number | undefined;
  readonly #device: Device;
  readonly #cache: Cache;
  /** Until all work that was started has been done. */
  #last: Promise<void> | undefined;

  constructor(device: Device, maxBytes: number) {
    this.#device = device;
    this.#cache = new Cache(device, maxBytes);
    this.dialect = device.dialect;
    this.limits = { maxInputs: device.maxInputs, ...busy };
    this.contractionGain = device.contractionGain;
  }

  upload(dtype: DType, values: TypedArray): Buffer {
    const memory = checked(dtype, values).memory as TypedArray;
    return this.#own(new Value(dtype, values.length, memory));
  }

  async download(buffer: Buffer): Promise<TypedArray> {
    const value = this.ofBuffer(buffer);
    value.pins++;
    try {
      if (this.#last) await this.#last;
      return (await this.#read(value)).slice();
    } finally {
      this.#cache.unpin(value);
    }
  }

  downloadSync(buffer: Buffer): TypedArray {
    const value = this.ofBuffer(buffer);
    if (value.error) throw value.error;
    const elements = this.#cache.hostNow(value);
    if (elements) return elements.slice();
    this.#device.check();
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
    const values = results.map(({ dtype, size }) => new Value(dtype, size));
    const needed = [...operands, ...values];
    for (const value of needed) value.pins++;
    const buffers = values.map((value) => this.#own(value));
    const settled = run()
      .then(
        (made) => {
          for (const [i, value] of values.entries()) this.#cache.move(made[i] as Value, value);
        },
        (error: unknown) => {
          for (const value of values) value.error = error as Error;
        },
      )
      .then(() => {
        if (this.#last === settled) this.#last = undefined;
        for (const value of needed) this.#cache.unpin(value);
      });
    this.#last = settled;
    return buffers;
  }

  room(): Promise<void> | undefined {
    return this.#cache.room();
  }

  host(value: Value): TypedArray | Promise<TypedArray> {
    this.#device.check();
    return this.#cache.hostNow(value) ?? this.#arrived(value);
  }

  async #arrived(value: Value): Promise<TypedArray> {
    value.memory = await this.#read(value);
    return value.memory;
  }

  async #read(value: Value): Promise<TypedArray> {
    if (value.error) throw value.error;
    const elements =
      value.memory ?? fromFloats(value.dtype, await this.#device.read(value.handle as Handle), 'a result');
    for (const { answer } of value.doubts) await answer;
    for (const { error } of value.doubts) if (error) throw error;
    return elements;
  }

  ofHost(dtype: DType, memory: TypedArray): Value {
    return new Value(dtype, memory.length, memory);
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
    const handles = this.#cache.handlesOf(program.inputs.map(({ input }) => operands[input] as Value));
    if (handles.length > this.#device.maxInputs || program.size > this.#device.maxElements)
      throw new BackendError(
        `gpu: kernel ${program.name} reads ${handles.length} arrays and has ${program.size} results, but this device takes ` +
          `${this.#device.maxInputs} and ${this.#device.maxElements}; run it on another backend, or without jit.`,
      );
    const value = new Value(dtype, program.size / floatsPer(dtype));
    this.#cache.makeRoom(value.bytes, operands);
    this.#cache.put(value, this.#device.run(program, handles));
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
    this.#cache.release(value);
  }

  donate(buffer: Buffer): void {
    (buffer as ResidentBuffer).value = undefined;
  }

  #own(value: Value): Buffer {
    const buffer = new ResidentBuffer(value);
    this.#cache.own(value, buffer);
    return buffer;
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
