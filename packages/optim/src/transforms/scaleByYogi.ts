import { add, astype, fullLike, multiply, sign, square, subtract, type Tensor, zeros } from '@neumann/core';
import { checkOptions, nonNegative, type RulesOf } from '../options.ts';
import type { GradientTransformation } from '../protocol.ts';
import { beside, countFor, stateLike, zerosOf, zipTrees } from '../trees.ts';
import { overRoot, restOf } from './mixed.ts';
import { movingAverage } from './movingAverage.ts';
import { type MomentOptions, momentRules, type ScaleByAdamState } from './scaleByAdam.ts';
import { debiased, weightSum } from './weightSum.ts';

/** Options of {@link scaleByYogi}. */
export interface ScaleByYogiOptions extends MomentOptions {
  /** First value of the average of squares; 1e-6. */
  readonly initialAccumulatorValue?: number;
}

export const yogiRules: RulesOf<ScaleByYogiOptions> = {
  ...momentRules,
  initialAccumulatorValue: nonNegative,
};

/**
 * Adam whose average of squares changes by steps of bounded size, up or down (Yogi; Zaheer et al. 2018,
 * https://papers.nips.cc/paper/8186):
 *
 *     m = b1 m + (1 - b1) g,   v = v - (1 - b2) sign(v - g²) g²,   u = m/(1 - b1^t) / (√(v/(1 - b2^t) + epsRoot) + eps)
 *
 * `eps` is 1e-3 by default.
 *
 * @example
 * const tx = chain(scaleByYogi(), scaleByLearningRate(1e-2));
 */
export function scaleByYogi(options: ScaleByYogiOptions = {}): GradientTransformation<ScaleByAdamState> {
  const op = 'scaleByYogi';
  checkOptions(op, options, yogiRules);
  const { b1 = 0.9, b2 = 0.999, eps = 1e-3, epsRoot = 0, initialAccumulatorValue = 1e-6 } = options;
  const moved = (n: Tensor, u: Tensor): Tensor => {
    const squared = square(astype(u, n.dtype));
    const step = multiply(beside(n, restOf(b2)), multiply(sign(subtract(n, squared)), squared));
    return subtract(n, step);
  };
  return {
    init: (params) => ({
      count: zeros([], 'int32'),
      mu: zerosOf(op, params),
      nu: stateLike(op, params, (x) => fullLike(x, initialAccumulatorValue)),
    }),
    update: (updates, state) => {
      const count = add(state.count, 1);
      const mu = movingAverage(op, state.mu, updates, b1);
      const nu = zipTrees(op, { nu: state.nu }, { updates }, moved);
      const steps = countFor(updates, count);
      const [weightMu, weightNu] = [weightSum(b1, steps), weightSum(b2, steps)];
      const direction = zipTrees(op, { updates }, { mu, nu }, (u, m, n) =>
        astype(overRoot(debiased(m, weightMu), debiased(n, weightNu), { eps, epsRoot }), u.dtype),
      );
      return [direction, { count, mu, nu }];
    },
  };
}
