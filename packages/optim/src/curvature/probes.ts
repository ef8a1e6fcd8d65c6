import { astype, multiply, random, subtract, type Tensor } from '@neumann/core';
import type { FloatDType } from '../trees.ts';

/** -1 and 1, equally probable: random vectors z `[size]` with E z zᵀ = I and the least variance of zᵀA z. */
export function signs(key: Tensor, size: number, dtype: FloatDType): Tensor {
  return subtract(multiply(2, astype(random.bernoulli(key, 0.5, [size]), dtype)), 1);
}
