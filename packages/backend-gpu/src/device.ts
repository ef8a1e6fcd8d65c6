import { BackendError } from '@neumann/core/backend';
import type { Dialect } from './emit/dialect.ts';
import type { Emitted } from './emit/emit.ts';

/** Memory of a device that holds the float32 elements of one value; never written again. */
export interface Handle {
  readonly size: number;
}

/** What kernels run on when their values stay there. */
export interface Device {
  readonly dialect: Dialect;
  /** What `describe()` says. */
  readonly device: string;
  /** Arrays that one kernel may read. */
  readonly maxInputs: number;
  /** Elements of the largest value. */
  readonly maxElements: number;
  /** @throws {BackendError} if the device is lost. */
  check(): void;
  upload(values: Float32Array): Handle;
  run(program: Emitted, inputs: readonly Handle[]): Handle;
  /** The elements. */
  read(handle: Handle): Promise<Float32Array>;
  /** The same without waiting, where the mode can. */
  readonly readSync?: (handle: Handle) => Float32Array;
  free(handle: Handle): void;
}

/** The device and all values on it are gone. */
export function lostError(what: string): BackendError {
  return new BackendError(
    `gpu: the ${what} was lost, with every tensor on it; make a new backend with gpu(), and the tensors again.`,
  );
}
