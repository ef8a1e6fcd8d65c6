import { type Buffer, type DType, InternalError } from '@neumann/core/backend';
import type { Storage } from './memory/residency.ts';

/** The handle of a tensor's memory. */
export class CpuBuffer implements Buffer {
  readonly dtype: DType;
  readonly size: number;
  /** Nothing once it was donated. */
  storage: Storage | undefined;
  /** Tells JavaScript what hangs on this handle. */
  #weight: ArrayBuffer | undefined;

  constructor(dtype: DType, size: number, storage: Storage | undefined, weight: ArrayBuffer | undefined) {
    this.dtype = dtype;
    this.size = size;
    this.storage = storage;
    this.#weight = weight;
  }

  /** Another handle of the same memory, in whose favour this one gives it up. */
  donate(): CpuBuffer {
    const heir = new CpuBuffer(this.dtype, this.size, this.storage, this.#weight);
    this.storage = undefined;
    this.#weight = undefined;
    return heir;
  }
}

/** The storage of a live buffer of this backend; `what` names the buffer in messages. */
export function storageOf(buffer: Buffer | undefined, what: string): Storage {
  if (!(buffer instanceof CpuBuffer)) throw new InternalError(`cpu: ${what} is no buffer of this backend.`);
  if (!buffer.storage)
    throw new InternalError(`cpu: ${what} was donated; its memory holds another value now.`);
  return buffer.storage;
}
