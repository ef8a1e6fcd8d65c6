import { add, astype, equal, remainder, type Tensor, where, zeros } from '@neumann/core';
import { checkValue, knownInteger } from '../options.ts';
import type { GradientTransformation, TensorTree } from '../protocol.ts';
import { zerosOf, zipTrees } from '../trees.ts';

/** State of {@link applyEvery}. */
export interface ApplyEveryState {
  /** `i32[]`, updates made. */
  readonly count: Tensor;
  /** The sum of updates since the last that was given. */
  readonly sum: TensorTree;
}

/**
 * Sums updates and gives the sum in every kth step, 0 in the others. The transformations before it run in each step; for
 * one step of a whole optimizer in k, see {@link multiSteps}.
 *
 * @throws {OptionError} unless `k` is an integer of at least 1.
 * @example
 * const tx = chain(scaleByAdam(), scaleByLearningRate(1e-3), applyEvery(4));
 */
export function applyEvery(k: number): GradientTransformation<ApplyEveryState> {
  checkValue('applyEvery', 'k', k, knownInteger(1));
  return {
    init: (params) => ({ count: zeros([], 'int32'), sum: zerosOf('applyEvery', params) }),
    update: (updates, state) => {
      const count = add(state.count, 1);
      const isDue = equal(remainder(count, k), 0);
      const total = zipTrees('applyEvery', { 'the state': state.sum }, { updates }, (s, u) =>
        add(s, astype(u, s.dtype)),
      );
      const result = zipTrees('applyEvery', { updates }, { total }, (u, s) =>
        where(isDue, astype(s, u.dtype), 0),
      );
      return [result, { count, sum: zipTrees('applyEvery', { total }, {}, (s) => where(isDue, 0, s)) }];
    },
  };
}
