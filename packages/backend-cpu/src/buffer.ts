import { type Buffer, type DType, InternalError } from '@neumann/core/backend';
import type { Lease } from './memory/residency.ts';

/** The handle of a tensor's memory. */
export class CpuBuffer implements Buffer {
  readonly dtype: DType;
  readonly size: number;
  donatedTo: string | undefined = undefined;
  /** Nothing once it was donated. */
  lease: Lease | undefined;

  constructor(dtype: DType, size: number, lease: Lease) {
    this.dtype = dtype;
    this.size = size;
    this.lease = lease;
  }
}

/** The lease of a live buffer of this backend; `what` names the buffer in messages. */
export function leaseOf(buffer: Buffer | undefined, what: string): Lease {
  if (!(buffer instanceof CpuBuffer)) throw new InternalError(`cpu: ${what} is no buffer of this backend.`);
  if (!buffer.lease) throw new InternalError(`cpu: ${what} was donated; its memory holds another value now.`);
  return buffer.lease;
}

/** A handle of what was the buffer's, which is dead from here on. */
export function heirOf(buffer: Buffer | undefined): Buffer {
  const lease = leaseOf(buffer, 'a donated argument');
  const { dtype, size } = buffer as CpuBuffer;
  (buffer as CpuBuffer).lease = undefined;
  return new CpuBuffer(dtype, size, lease);
}
