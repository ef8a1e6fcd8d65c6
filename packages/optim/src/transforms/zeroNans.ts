import { any, isNan, where, zeros } from '@neumann/core';
import type { GradientTransformation, TensorTree } from '../protocol.ts';
import { stateLike, zipTrees } from '../trees.ts';

/** State of {@link zeroNans}. */
export interface ZeroNansState {
  /** For each tensor `bool[]`: whether the last update had a NaN in it. */
  readonly foundNan: TensorTree;
}

/**
 * Replaces NaN in updates by 0. The state says which tensors had some.
 *
 * @example
 * const tx = zeroNans();
 * const g = tensor([1, Number.NaN]);
 * tx.update(g, tx.init(g), g)[0]   // [1, 0]
 */
export function zeroNans(): GradientTransformation<ZeroNansState> {
  return {
    init: (params) => ({ foundNan: stateLike('zeroNans', params, () => zeros([], 'bool')) }),
    update: (updates) => [
      zipTrees('zeroNans', { updates }, {}, (u) => where(isNan(u), 0, u)),
      { foundNan: stateLike('zeroNans', updates, (u) => any(isNan(u))) },
    ],
  };
}
