import type { DType } from '@neumann/core/backend';

/** Inside a gpu.js kernel every number but an index is a float32, which holds all whole numbers up to here. */
export const maxWhole: number = 2 ** 24;

/** No tensor is larger; devices may take less. Positions in it are taken apart into numbers up to `maxWhole`. */
export const maxElements: number = 2 ** 26;

/** int32 values are exact from `-maxInteger` to `maxInteger`; 2^24 itself could be the rounded 2^24 + 1. */
export const maxInteger: number = 2 ** 24 - 1;

/** uint32 and float64 are missing: the core refuses them by name. */
export const gpuDtypes: readonly DType[] = ['float32', 'int32', 'uint8', 'bool'];
