import { add, astype, multiply, subtract, type Tensor } from '@neumann/core';
import type { Scalar, TensorTree } from '../protocol.ts';
import { beside, zipTrees } from '../trees.ts';

/** `decay * average + (1 - decay) * f(u)`, in the dtypes of `average`. */
export function movingAverage(
  op: string,
  average: TensorTree,
  updates: unknown,
  decay: Scalar,
  f: (u: Tensor) => Tensor = (u) => u,
): TensorTree {
  const rest: Scalar = typeof decay === 'number' ? 1 - decay : subtract(1, decay);
  return zipTrees(op, { 'the state': average }, { updates }, (a, u) =>
    astype(add(multiply(beside(a, decay), a), multiply(beside(a, rest), f(astype(u, a.dtype)))), a.dtype),
  );
}
