import { astype, divide, expm1, log, multiply, negative, type Tensor } from '@neumann/core';
import type { Scalar } from '../protocol.ts';
import { beside } from '../trees.ts';

/** `1 - decay^steps`, the total weight of an average that started at zero, without cancellation for decays near 1. */
export function weightSum(decay: Scalar, steps: Tensor): Tensor {
  const rate = typeof decay === 'number' ? Math.log(decay) : astype(log(decay), steps.dtype);
  return negative(expm1(multiply(rate, steps)));
}

/** An average that started at zero, corrected for that: `average / weights`, with one division for all elements. */
export function debiased(average: Tensor, weights: Tensor): Tensor {
  return multiply(average, beside(average, divide(1, weights)));
}
