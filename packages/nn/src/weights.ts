import { type DType, random, Tensor, TreeError } from '@neumann/core';
import { isFloat } from '@neumann/core/extend';
import type { Initializer } from './initializers.ts';

/** Parameters of a linear layer: w, and b unless the layer was made with `bias: false`. */
export interface Weights {
  readonly w: Tensor;
  readonly b?: Tensor;
}

/** How a linear layer makes its parameters. */
interface WeightOptions {
  readonly bias: boolean;
  readonly kernelInit: Initializer;
  readonly biasInit: Initializer;
}

/** New w of `shape` and, with `bias`, b of its last extent. */
export function makeWeights(
  key: Tensor,
  shape: readonly number[],
  dtype: DType,
  { bias, kernelInit, biasInit }: WeightOptions,
): Weights {
  const w = kernelInit(random.foldIn(key, 0), shape, dtype);
  return bias ? { w, b: biasInit(random.foldIn(key, 1), shape.slice(-1), dtype) } : { w };
}

/** @throws {TreeError} unless `params` are such weights: users may hand over those of another model. */
export function checkWeights(layer: string, params: Weights): Weights {
  if (!(params?.w instanceof Tensor))
    throw new TreeError(
      `${layer}: needs parameters { w, b }, but got ${params === null ? 'null' : typeof params}; use those that init() made.`,
    );
  return params;
}

/** The dtype of parameters for inputs of `dtype`: floats keep theirs, pixels and other integers get float32. */
export const parameterDType = (dtype: DType): DType => (isFloat(dtype) ? dtype : 'float32');
