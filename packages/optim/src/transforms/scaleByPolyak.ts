import { add, divide, greater, maximum, minimum, multiply, subtract, where } from '@neumann/core';
import { lossOf } from '../extra.ts';
import { checkOptions, finite, nonNegative, oneOf, positive, type RulesOf } from '../options.ts';
import type { GradientTransformation, Scalar } from '../protocol.ts';
import { beside, floatDType, leavesOf, scalarOf, sumOfSquares, zipTrees } from '../trees.ts';

/** Options of {@link scaleByPolyak}. */
export interface ScaleByPolyakOptions {
  /** The least value that the loss can take; 0. */
  readonly fMin?: Scalar;
  /** The greatest step; 1. */
  readonly maxLearningRate?: Scalar;
  /** Added to the squared norm of the gradient; 0. */
  readonly eps?: Scalar;
  /** `'sps'` (default) bounds the step by `maxLearningRate`; `'sps+'` also takes a loss below `fMin` as equal to it. */
  readonly variant?: 'sps' | 'sps+';
}

export const polyakRules: RulesOf<ScaleByPolyakOptions> = {
  fMin: finite,
  maxLearningRate: positive,
  eps: nonNegative,
  variant: oneOf('sps', 'sps+'),
};

/**
 * Polyak's step, which needs no learning rate where the least loss is known (Loizou et al. 2021,
 * https://arxiv.org/abs/2002.10542): `u = g min((f - fMin) / (‖g‖² + eps), maxLearningRate)`, and 0 where g is 0.
 *
 * Needs `extra.value`, the loss f.
 *
 * @example
 * const tx = chain(scaleByPolyak(), scale(-1));
 * const w = tensor([3, 4]);
 * const [value, g] = valueAndGrad((p: Tensor) => multiply(0.5, sum(square(p))))(w);
 * tx.update(g, tx.init(w), w, { value })[0]   // [-1.5, -2]
 */
export function scaleByPolyak(options: ScaleByPolyakOptions = {}): GradientTransformation<null> {
  const op = 'scaleByPolyak';
  checkOptions(op, options, polyakRules);
  const { fMin = 0, maxLearningRate = 1, eps = 0, variant = 'sps' } = options;
  return {
    init: () => null,
    update: (updates, _, __, extra) => {
      const leaves = leavesOf(updates);
      const dtype = floatDType(leaves);
      const difference = subtract(scalarOf(lossOf(op, extra), dtype), scalarOf(fMin, dtype));
      const gap = variant === 'sps+' ? maximum(difference, 0) : difference;
      const squares = add(sumOfSquares(leaves, dtype), scalarOf(eps, dtype));
      const isPositive = greater(squares, 0);
      const step = minimum(divide(gap, where(isPositive, squares, 1)), scalarOf(maxLearningRate, dtype));
      const factor = where(isPositive, step, 0);
      return [zipTrees(op, { updates }, {}, (u) => multiply(beside(u, factor), u)), null];
    },
  };
}
