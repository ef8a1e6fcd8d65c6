import {
  add,
  astype,
  divide,
  greaterEqual,
  multiply,
  sqrt,
  square,
  subtract,
  type Tensor,
  where,
  zeros,
} from '@neumann/core';
import { checkOptions, nonNegative, type RulesOf } from '../options.ts';
import type { GradientTransformation, Scalar } from '../protocol.ts';
import { beside, countFor, scalarOf, zerosOf, zipTrees } from '../trees.ts';
import { overRoot } from './mixed.ts';
import { movingAverage } from './movingAverage.ts';
import { type MomentOptions, momentRules, type ScaleByAdamState } from './scaleByAdam.ts';
import { debiased, weightSum } from './weightSum.ts';

/** Options of {@link scaleByRadam}. */
export interface ScaleByRadamOptions extends MomentOptions {
  /** How long the average of squares must be before it is used; 5. */
  readonly threshold?: Scalar;
}

export const radamRules: RulesOf<ScaleByRadamOptions> = { ...momentRules, threshold: nonNegative };

/**
 * Adam that corrects the variance of its denominator, and does without it while that is unknown (RAdam; Liu et al. 2020,
 * https://arxiv.org/abs/1908.03265): with `ρ∞ = 2/(1 - b2) - 1` and `ρ = ρ∞ - 2 t b2^t/(1 - b2^t)`,
 *
 *     u = r m̂ / (√(v̂ + epsRoot) + eps),   r² = (ρ - 4)(ρ - 2) ρ∞ / ((ρ∞ - 4)(ρ∞ - 2) ρ),   where ρ ≥ threshold
 *     u = m̂                                                                                 elsewhere
 *
 * @example
 * const tx = chain(scaleByRadam(), scaleByLearningRate(1e-3));
 */
export function scaleByRadam(options: ScaleByRadamOptions = {}): GradientTransformation<ScaleByAdamState> {
  const op = 'scaleByRadam';
  checkOptions(op, options, radamRules);
  const { b1 = 0.9, b2 = 0.999, threshold = 5 } = options;
  return {
    init: (params) => ({ count: zeros([], 'int32'), mu: zerosOf(op, params), nu: zerosOf(op, params) }),
    update: (updates, state) => {
      const count = add(state.count, 1);
      const mu = movingAverage(op, state.mu, updates, b1);
      const nu = movingAverage(op, state.nu, updates, b2, square);
      const steps = countFor(updates, count);
      const [weightMu, weightNu] = [weightSum(b1, steps), weightSum(b2, steps)];
      const { isKnown, r } = rectification(b2, weightNu, steps, threshold);
      const direction = zipTrees(op, { updates }, { mu, nu }, (u, m, n) => {
        const first = debiased(m, weightMu);
        const adapted = multiply(beside(n, r), overRoot(first, debiased(n, weightNu), options));
        return astype(where(isKnown, adapted, first), u.dtype);
      });
      return [direction, { count, mu, nu }];
    },
  };
}

function rectification(
  b2: Scalar,
  weight: Tensor,
  steps: Tensor,
  threshold: Scalar,
): { readonly isKnown: Tensor; readonly r: Tensor } {
  const most = subtract(divide(2, subtract(1, scalarOf(b2, steps.dtype))), 1);
  const length = subtract(most, divide(multiply(multiply(2, steps), subtract(1, weight)), weight));
  const isKnown = greaterEqual(length, beside(steps, threshold));
  const rho = where(isKnown, length, most); // the root of a negative number elsewhere
  const part = (x: Tensor) => divide(multiply(subtract(x, 4), subtract(x, 2)), x);
  return { isKnown, r: sqrt(divide(part(rho), part(most))) };
}
