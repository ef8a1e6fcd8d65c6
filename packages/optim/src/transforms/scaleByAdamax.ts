import { abs, add, astype, divide, maximum, multiply, zeros } from '@neumann/core';
import { belowOne, checkOptions, nonNegative, type RulesOf } from '../options.ts';
import type { GradientTransformation, Scalar } from '../protocol.ts';
import { beside, countFor, zerosOf, zipTrees } from '../trees.ts';
import { movingAverage } from './movingAverage.ts';
import type { ScaleByAdamState } from './scaleByAdam.ts';
import { debiased, weightSum } from './weightSum.ts';

/** Options of {@link scaleByAdamax}. */
export interface ScaleByAdamaxOptions {
  /** Decay of the average of gradients; 0.9. */
  readonly b1?: Scalar;
  /** Decay of the greatest gradient; 0.999. */
  readonly b2?: Scalar;
  /** Added to magnitudes of gradients; 1e-8. */
  readonly eps?: Scalar;
}

export const adamaxRules: RulesOf<ScaleByAdamaxOptions> = { b1: belowOne, b2: belowOne, eps: nonNegative };

/**
 * Adam with the infinity norm (Kingma and Ba 2015, Section 7.1, https://arxiv.org/abs/1412.6980):
 * `m = b1 m + (1 - b1) g`, `v = max(b2 v, |g| + eps)`, `u = m/(1 - b1^t) / v`. `nu` of the state is v.
 *
 * @example
 * const tx = chain(scaleByAdamax(), scaleByLearningRate(2e-3));
 */
export function scaleByAdamax(options: ScaleByAdamaxOptions = {}): GradientTransformation<ScaleByAdamState> {
  const op = 'scaleByAdamax';
  checkOptions(op, options, adamaxRules);
  const { b1 = 0.9, b2 = 0.999, eps = 1e-8 } = options;
  return {
    init: (params) => ({ count: zeros([], 'int32'), mu: zerosOf(op, params), nu: zerosOf(op, params) }),
    update: (updates, state) => {
      const count = add(state.count, 1);
      const mu = movingAverage(op, state.mu, updates, b1);
      const nu = zipTrees(op, { nu: state.nu }, { updates }, (n, u) =>
        astype(maximum(multiply(beside(n, b2), n), add(abs(astype(u, n.dtype)), beside(n, eps))), n.dtype),
      );
      const weight = weightSum(b1, countFor(updates, count));
      const direction = zipTrees(op, { updates }, { mu, nu }, (u, m, n) =>
        astype(divide(debiased(m, weight), n), u.dtype),
      );
      return [direction, { count, mu, nu }];
    },
  };
}
