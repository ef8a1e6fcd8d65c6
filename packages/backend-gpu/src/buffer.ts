import {
  BackendError,
  type Buffer,
  type DType,
  dtypeInfo,
  hostArray,
  InternalError,
  showAval,
  type TypedArray,
} from '@neumann/core/backend';
import { maxElements, maxInteger } from './limits.ts';

/** A value in JavaScript's own memory, which collects it; an array of its dtype, never written again. */
export class GpuBuffer implements Buffer {
  readonly dtype: DType;
  readonly size: number;
  /** `undefined` once it was donated. */
  memory: TypedArray | undefined;

  constructor(dtype: DType, memory: TypedArray) {
    this.dtype = dtype;
    this.size = memory.length;
    this.memory = memory;
  }
}

/** A new buffer with a copy of `values`. */
export function upload(dtype: DType, values: TypedArray): GpuBuffer {
  if (!(values instanceof dtypeInfo(dtype).array))
    throw new InternalError(`gpu: upload of ${dtype} from a ${(values as object).constructor.name}.`);
  if (values.length > maxElements)
    throw new BackendError(
      `gpu: a tensor of ${values.length} elements is too large; this backend takes ${maxElements} at most. ` +
        `Use smaller tensors or another backend.`,
    );
  if (dtype === 'int32') checkIntegers('a new tensor', values);
  const memory = hostArray(dtype, values.length);
  memory.set(values);
  return new GpuBuffer(dtype, memory);
}

/** The array of a buffer of this backend. */
export function memoryOf(buffer: Buffer | undefined): TypedArray {
  if (!(buffer instanceof GpuBuffer)) throw new InternalError('gpu: this buffer belongs to another backend.');
  if (!buffer.memory)
    throw new InternalError(
      `gpu: a donated buffer ${showAval({ dtype: buffer.dtype, shape: [buffer.size] })} was used again.`,
    );
  return buffer.memory;
}

/** What a kernel returned, as an array of the dtype of its output. */
export function fromFloats(dtype: DType, values: Float32Array, name: string): TypedArray {
  if (dtype === 'float32') return values;
  if (dtype === 'uint32')
    return Uint32Array.from(
      { length: values.length / 2 },
      (_, i) => Number(values[2 * i]) * 2 ** 16 + Number(values[2 * i + 1]),
    );
  if (dtype === 'int32') checkIntegers(`a result of kernel ${name}`, values);
  const array = hostArray(dtype, values.length);
  array.set(values);
  return array;
}

/** An array as gpu.js takes it: of numbers that float32 holds. */
export function toFloats(values: TypedArray): TypedArray {
  if (!(values instanceof Uint32Array)) return values;
  const floats = hostArray('float32', 2 * values.length);
  for (const [i, value] of values.entries()) {
    floats[2 * i] = value >>> 16;
    floats[2 * i + 1] = value & 0xffff;
  }
  return floats;
}

/** @throws {BackendError} for an integer that is, or could be, rounded. */
function checkIntegers(what: string, values: TypedArray): void {
  const bad = values.findIndex((x) => !(Math.abs(x) <= maxInteger));
  if (bad >= 0) throw integerError(`${what} holds ${values[bad]} at position ${bad}`);
}

/** An int32 that left the range in which float32 holds every integer. */
export function integerError(what: string): BackendError {
  return new BackendError(
    `gpu: ${what}, but int32 is exact only up to ±${maxInteger} here, because gpu.js computes in float32. ` +
      `Use another backend for it, or float32.`,
  );
}
