import { add, astype, square, subtract, zeros } from '@neumann/core';
import { checkOptions } from '../options.ts';
import type { GradientTransformation } from '../protocol.ts';
import { beside, countFor, zerosOf, zipTrees } from '../trees.ts';
import { mixed, overRoot } from './mixed.ts';
import { movingAverage } from './movingAverage.ts';
import { type MomentOptions, momentRules, type ScaleByAdamState } from './scaleByAdam.ts';
import { debiased, weightSum } from './weightSum.ts';

/**
 * Adam that divides by how much gradients differ from their average, and so takes long steps where they agree (AdaBelief;
 * Zhuang et al. 2020, https://arxiv.org/abs/2010.07468):
 *
 *     m = b1 m + (1 - b1) g,   s = b2 s + (1 - b2) (g - m)² + epsRoot,   u = m/(1 - b1^t) / (√(s/(1 - b2^t)) + eps)
 *
 * Both epsilons are 1e-16 by default. `nu` of the state is s.
 *
 * @example
 * const tx = chain(scaleByBelief(), scaleByLearningRate(1e-3));
 */
export function scaleByBelief(options: MomentOptions = {}): GradientTransformation<ScaleByAdamState> {
  const op = 'scaleByBelief';
  checkOptions(op, options, momentRules);
  const { b1 = 0.9, b2 = 0.999, eps = 1e-16, epsRoot = 1e-16 } = options;
  return {
    init: (params) => ({ count: zeros([], 'int32'), mu: zerosOf(op, params), nu: zerosOf(op, params) }),
    update: (updates, state) => {
      const count = add(state.count, 1);
      const mu = movingAverage(op, state.mu, updates, b1);
      const nu = zipTrees(op, { nu: state.nu }, { updates, mu }, (n, u, m) =>
        add(mixed(b2, n, square(subtract(astype(u, n.dtype), m))), beside(n, epsRoot)),
      );
      const steps = countFor(updates, count);
      const [weightMu, weightNu] = [weightSum(b1, steps), weightSum(b2, steps)];
      const direction = zipTrees(op, { updates }, { mu, nu }, (u, m, n) =>
        astype(overRoot(debiased(m, weightMu), debiased(n, weightNu), { eps }), u.dtype),
      );
      return [direction, { count, mu, nu }];
    },
  };
}
