import { add, astype, fullLike, greater, multiply, rsqrt, square, type Tensor, where } from '@neumann/core';
import { checkOptions, nonNegative, type RulesOf } from '../options.ts';
import type { GradientTransformation, Scalar, TensorTree } from '../protocol.ts';
import { beside, stateLike, zipTrees } from '../trees.ts';

/** Options of {@link scaleByRss}. */
export interface ScaleByRssOptions {
  /** First value of the sum of squares; 0.1. */
  readonly initialAccumulatorValue?: number;
  /** Added to the sum of squares; 1e-7. */
  readonly eps?: Scalar;
}

/** State of {@link scaleByRss}. */
export interface ScaleByRssState {
  /** Sums of squared updates. */
  readonly sumOfSquares: TensorTree;
}

export const rssRules: RulesOf<ScaleByRssOptions> = {
  initialAccumulatorValue: nonNegative,
  eps: nonNegative,
};

/**
 * Divides updates by the root of the sum of all their squares so far (Adagrad; Duchi, Hazan and Singer 2011,
 * https://jmlr.org/papers/v12/duchi11a.html): `s = s + g²`, `u = g / √(s + eps)`, and 0 where s is 0.
 *
 * @example
 * const tx = chain(scaleByRss(), scaleByLearningRate(0.1));
 */
export function scaleByRss(options: ScaleByRssOptions = {}): GradientTransformation<ScaleByRssState> {
  checkOptions('scaleByRss', options, rssRules);
  const { initialAccumulatorValue = 0.1, eps = 1e-7 } = options;
  return {
    init: (params) => ({
      sumOfSquares: stateLike('scaleByRss', params, (x) => fullLike(x, initialAccumulatorValue)),
    }),
    update: (updates, state) => {
      const sumOfSquares = zipTrees('scaleByRss', { 'the state': state.sumOfSquares }, { updates }, (s, u) =>
        add(s, square(astype(u, s.dtype))),
      );
      const scaled = zipTrees('scaleByRss', { updates }, { sumOfSquares }, (u, s) =>
        astype(multiply(u, safeRsqrt(s, eps)), u.dtype),
      );
      return [scaled, { sumOfSquares }];
    },
  };
}

/** `1/√(x + eps)`, and 0 where x is 0. */
export function safeRsqrt(x: Tensor, eps: Scalar): Tensor {
  const isPositive = greater(x, 0);
  return where(isPositive, rsqrt(add(where(isPositive, x, 1), beside(x, eps))), 0);
}
