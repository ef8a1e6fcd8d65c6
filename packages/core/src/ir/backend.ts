import type { DType, TypedArray } from '../dtype.ts';
import type { Kernel } from './kernel.ts';
import type { Plan } from './plan.ts';

/**
 * Immutable dense memory owned by a backend. It lives as long as JavaScript can reach this handle: nobody frees it,
 * and a backend may move the bytes (out of its heap, and back) without anybody noticing.
 */
export interface Buffer {
  readonly dtype: DType;
  /** Number of elements. */
  readonly size: number;
  /** The call that took the memory over, if one did: the core notes it, and refuses the handle from then on. */
  donatedTo?: string | undefined;
}

/** A compiled plan. */
export interface Executable {
  /**
   * Runs the plan on one buffer for each of `plan.inputs` and returns one for each of `plan.outputs`. On a backend that cannot
   * be read at once, their values may come later; `download` waits for them, and rejects if the plan failed.
   * Donated inputs (see `Plan.slots`) are dead afterwards.
   */
  run(inputs: readonly Buffer[]): Buffer[];
}

/** Where tensors live and kernels run. */
export interface Backend {
  readonly name: string;
  /** The dtypes that buffers may have; anything else is refused by name before it reaches the backend. */
  readonly dtypes: ReadonlySet<DType>;
  /** Whether one kernel may have several outputs; if not, the core splits it. */
  readonly multipleOutputs: boolean;
  /**
   * Whether the tuned implementation of a kernel with a routine also takes in pointwise work on its result: the core may
   * then hand it kernels whose outputs are any expressions of `acc` and of further inputs, read at the point that is
   * written. Without this method, none does.
   */
  fusesEpilogue?(kernel: Kernel): boolean;
  /** Copies host values into a new buffer. */
  upload(dtype: DType, values: TypedArray): Buffer;
  /** Copies a buffer to new host memory. */
  download(buffer: Buffer): Promise<TypedArray>;
  /** The same without waiting; a backend that cannot throws a BackendError. */
  downloadSync(buffer: Buffer): TypedArray;
  /** Compiles a plan. The core keeps the result and asks once for each structure. */
  compile(plan: Plan): Executable;
}
