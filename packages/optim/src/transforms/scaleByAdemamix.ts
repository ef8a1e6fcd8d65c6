import { add, astype, multiply, square, zeros } from '@neumann/core';
import { belowOne, checkOptions, nonNegative, type RulesOf, scheduled } from '../options.ts';
import type { GradientTransformation, Scalar, Schedule, TensorTree } from '../protocol.ts';
import { beside, countFor, zerosOf, zipTrees } from '../trees.ts';
import { overRoot } from './mixed.ts';
import { movingAverage } from './movingAverage.ts';
import { type MomentOptions, momentRules, type ScaleByAdamState } from './scaleByAdam.ts';
import { debiased, weightSum } from './weightSum.ts';

/** Options of {@link scaleByAdemamix}. */
export interface ScaleByAdemamixOptions extends MomentOptions {
  /** Decay of the slow average of gradients; 0.9999. */
  readonly b3?: Scalar | Schedule;
  /** Weight of the slow average; 5. */
  readonly alpha?: Scalar | Schedule;
}

/** State of {@link scaleByAdemamix}. */
export interface ScaleByAdemamixState extends ScaleByAdamState {
  /** The slow moving average of gradients. */
  readonly slow: TensorTree;
}

export const ademamixRules: RulesOf<ScaleByAdemamixOptions> = {
  ...momentRules,
  b3: scheduled(belowOne),
  alpha: scheduled(nonNegative),
};

/**
 * Adam with a second, much slower average of gradients (AdEMAMix; Pagliardini, Ablin and Grangier 2024,
 * https://arxiv.org/abs/2409.03137): `s = b3 s + (1 - b3) g` starts at zero and is not corrected for that, and
 * `u = (m̂ + alpha s) / (√(v̂ + epsRoot) + eps)` with Adam's m̂ and v̂. The paper ramps `alpha` and `b3` up: give schedules.
 *
 * @example
 * const alpha = linearSchedule({ initValue: 0, endValue: 5, transitionSteps: 1000 });
 * const tx = chain(scaleByAdemamix({ alpha }), scaleByLearningRate(1e-3));
 */
export function scaleByAdemamix(
  options: ScaleByAdemamixOptions = {},
): GradientTransformation<ScaleByAdemamixState> {
  const op = 'scaleByAdemamix';
  checkOptions(op, options, ademamixRules);
  const { b1 = 0.9, b2 = 0.999, b3 = 0.9999, alpha = 5 } = options;
  return {
    init: (params) => ({
      count: zeros([], 'int32'),
      mu: zerosOf(op, params),
      nu: zerosOf(op, params),
      slow: zerosOf(op, params),
    }),
    update: (updates, state) => {
      const at = (x: Scalar | Schedule) => (typeof x === 'function' ? x(countFor(updates, state.count)) : x);
      const count = add(state.count, 1);
      const mu = movingAverage(op, state.mu, updates, b1);
      const nu = movingAverage(op, state.nu, updates, b2, square);
      const slow = movingAverage(op, state.slow, updates, at(b3));
      const steps = countFor(updates, count);
      const [weightMu, weightNu, weight] = [weightSum(b1, steps), weightSum(b2, steps), at(alpha)];
      const direction = zipTrees(op, { updates }, { mu, nu, slow }, (u, m, n, s) => {
        const first = add(debiased(m, weightMu), multiply(beside(m, weight), s));
        return astype(overRoot(first, debiased(n, weightNu), options), u.dtype);
      });
      return [direction, { count, mu, nu, slow }];
    },
  };
}
