import { add, astype, equal, multiply, subtract, type Tensor, where, zeros } from '@neumann/core';
import { checkOptions, finite, type RulesOf } from '../options.ts';
import type { GradientTransformation, Scalar, TensorTree } from '../protocol.ts';
import { beside, zerosOf, zipTrees } from '../trees.ts';

/** Options of {@link scaleByOptimisticGradient}. */
export interface ScaleByOptimisticGradientOptions {
  /** Weight of the gradient; 1. */
  readonly alpha?: Scalar;
  /** Weight of its change since the last step; 1. */
  readonly beta?: Scalar;
}

/** State of {@link scaleByOptimisticGradient}. */
export interface ScaleByOptimisticGradientState {
  /** `i32[]`, updates made. */
  readonly count: Tensor;
  /** The last gradient. */
  readonly previous: TensorTree;
}

export const optimisticRules: RulesOf<ScaleByOptimisticGradientOptions> = { alpha: finite, beta: finite };

/**
 * Adds the change of the gradient to the gradient, as a guess of the next one: `u = alpha g + beta (g - g_previous)`; the
 * change is 0 in the first step (Daskalakis et al. 2018, https://arxiv.org/abs/1711.00141; Mokhtari et al. 2020). Where
 * plain descent circles around the equilibrium of a two-player game, this one converges.
 *
 * @example
 * const tx = chain(scaleByOptimisticGradient(), scaleByLearningRate(0.1));
 */
export function scaleByOptimisticGradient(
  options: ScaleByOptimisticGradientOptions = {},
): GradientTransformation<ScaleByOptimisticGradientState> {
  const op = 'scaleByOptimisticGradient';
  checkOptions(op, options, optimisticRules);
  const { alpha = 1, beta = 1 } = options;
  return {
    init: (params) => ({ count: zeros([], 'int32'), previous: zerosOf(op, params) }),
    update: (updates, state) => {
      const isFirst = equal(state.count, 0);
      const result = zipTrees(op, { updates }, { 'the state': state.previous }, (u, before) => {
        const change = where(isFirst, 0, subtract(u, astype(before, u.dtype)));
        return add(multiply(beside(u, alpha), u), multiply(beside(u, beta), change));
      });
      const previous = zipTrees(op, { previous: state.previous }, { updates }, (p, u) => astype(u, p.dtype));
      return [result, { count: add(state.count, 1), previous }];
    },
  };
}
