import { type Buffer, type DType, InternalError } from '@neumann/core/backend';
import type { Storage } from './memory/residency.ts';

/** The handle of a tensor's memory. */
export class CpuBuffer implements Buffer {
  readonly dtype: DType;
  readonly size: number;
  /** Nothing once it was donated. */
  storage: Storage | undefined;

  constructor(dtype: DType, size: number, storage: Storage) {
    this.dtype = dtype;
    this.size = size;
    this.storage = storage;
  }
}

/** The storage of a live buffer of this backend; `what` names the buffer in messages. */
export function storageOf(buffer: Buffer | undefined, what: string): Storage {
  if (!(buffer instanceof CpuBuffer)) throw new InternalError(`cpu: ${what} is no buffer of this backend.`);
  if (!buffer.storage)
    throw new InternalError(`cpu: ${what} was donated; its memory holds another value now.`);
  return buffer.storage;
}
