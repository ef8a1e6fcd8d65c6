import { BackendError, type DType } from '@neumann/core/backend';

/** Inside a gpu.js kernel every number but an index is a float32, which holds all whole numbers up to here. */
export const maxWhole: number = 2 ** 24;

/** No tensor is larger; devices may take less. Positions in it are taken apart into numbers up to `maxWhole`. */
export const maxElements: number = 2 ** 26;

/** int32 values are exact from `-maxInteger` to `maxInteger`; 2^24 itself could be the rounded 2^24 + 1. */
export const maxInteger: number = 2 ** 24 - 1;

/** float64 is missing: the core refuses it by name. uint32 is exact, as two halves. */
export const gpuDtypes: readonly DType[] = ['float32', 'int32', 'uint32', 'uint8', 'bool'];

/** float32 numbers that hold one element. */
export const floatsPer = (dtype: DType): number => (dtype === 'uint32' ? 2 : 1);

/** What a kernel has and the backend lacks. */
export function inexactError(name: string, what: string): BackendError {
  return new BackendError(
    `gpu: kernel ${name} has ${what}, which this version cannot compute exactly; ` +
      `run it on another backend (devicePut moves tensors).`,
  );
}
