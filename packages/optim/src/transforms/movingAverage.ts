import { astype, type Tensor } from '@neumann/core';
import type { Scalar, TensorTree } from '../protocol.ts';
import { zipTrees } from '../trees.ts';
import { mixed } from './mixed.ts';

/** `decay * average + (1 - decay) * f(u)`, in the dtypes of `average`. */
export function movingAverage(
  op: string,
  average: TensorTree,
  updates: unknown,
  decay: Scalar,
  f: (u: Tensor) => Tensor = (u) => u,
): TensorTree {
  return zipTrees(op, { 'the state': average }, { updates }, (a, u) =>
    astype(mixed(decay, a, f(astype(u, a.dtype))), a.dtype),
  );
}
