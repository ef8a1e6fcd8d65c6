import type { DType } from '@neumann/core/backend';

/** Inside a gpu.js kernel every number is a float32, so an index is exact up to here, and no tensor may be larger. */
export const maxElements: number = 2 ** 24;

/** int32 values are exact from `-maxInteger` to `maxInteger`; 2^24 itself could be the rounded 2^24 + 1. */
export const maxInteger: number = 2 ** 24 - 1;

/** uint32 and float64 are missing: the core refuses them by name. */
export const gpuDtypes: readonly DType[] = ['float32', 'int32', 'uint8', 'bool'];
