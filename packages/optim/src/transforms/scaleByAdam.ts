import { add, astype, square, type Tensor, zeros } from '@neumann/core';
import { belowOne, checkOptions, flag, nonNegative, type RulesOf } from '../options.ts';
import type { GradientTransformation, Scalar, TensorTree } from '../protocol.ts';
import { countFor, zerosOf, zipTrees } from '../trees.ts';
import { mixed, overRoot } from './mixed.ts';
import { movingAverage } from './movingAverage.ts';
import { debiased, weightSum } from './weightSum.ts';

/** Decays and safeguards of the optimizers that average gradients and their squares. */
export interface MomentOptions {
  /** Decay of the average of gradients; 0.9. */
  readonly b1?: Scalar;
  /** Decay of the average of their squares; 0.999. */
  readonly b2?: Scalar;
  /** Added to the denominator; 1e-8. */
  readonly eps?: Scalar;
  /** Added under its square root; 0. Above 0 it makes the update differentiable where gradients are 0. */
  readonly epsRoot?: Scalar;
}

/** Options of {@link scaleByAdam}. */
export interface ScaleByAdamOptions extends MomentOptions {
  /** Whether the gradient counts once more, as if the average were one step ahead (NAdam); false. */
  readonly nesterov?: boolean;
}

/** State of {@link scaleByAdam}. */
export interface ScaleByAdamState {
  /** `i32[]`, updates made. */
  readonly count: Tensor;
  /** Moving average of gradients. */
  readonly mu: TensorTree;
  /** Moving average of their squares. */
  readonly nu: TensorTree;
}

export const momentRules: RulesOf<MomentOptions> = {
  b1: belowOne,
  b2: belowOne,
  eps: nonNegative,
  epsRoot: nonNegative,
};

export const adamRules: RulesOf<ScaleByAdamOptions> = { ...momentRules, nesterov: flag };

/**
 * Adam's direction: the average gradient over the root of the average square, each corrected for starting at zero
 * (Kingma and Ba 2015, https://arxiv.org/abs/1412.6980):
 *
 *     m = b1 m + (1 - b1) g,   v = b2 v + (1 - b2) g²,   u = m/(1 - b1^t) / (√(v/(1 - b2^t) + epsRoot) + eps)
 *
 * With `nesterov`, the numerator is `b1 m/(1 - b1^(t+1)) + (1 - b1) g/(1 - b1^t)` (NAdam; Dozat 2016).
 *
 * @example
 * const tx = chain(scaleByAdam({ b2: 0.99 }), scaleByLearningRate(1e-3));
 */
export function scaleByAdam(options: ScaleByAdamOptions = {}): GradientTransformation<ScaleByAdamState> {
  checkOptions('scaleByAdam', options, adamRules);
  const { b1 = 0.9, b2 = 0.999, nesterov = false } = options;
  return {
    init: (params) => ({
      count: zeros([], 'int32'),
      mu: zerosOf('scaleByAdam', params),
      nu: zerosOf('scaleByAdam', params),
    }),
    update: (updates, state) => {
      const count = add(state.count, 1);
      const mu = movingAverage('scaleByAdam', state.mu, updates, b1);
      const nu = movingAverage('scaleByAdam', state.nu, updates, b2, square);
      const steps = countFor(updates, count);
      const [weightMu, weightNu] = [weightSum(b1, steps), weightSum(b2, steps)];
      const ahead = nesterov ? weightSum(b1, add(steps, 1)) : weightMu;
      const direction = zipTrees('scaleByAdam', { updates }, { mu, nu }, (u, m, n) => {
        const average = debiased(m, ahead);
        const first = nesterov ? mixed(b1, average, debiased(astype(u, m.dtype), weightMu)) : average;
        return astype(overRoot(first, debiased(n, weightNu), options), u.dtype);
      });
      return [direction, { count, mu, nu }];
    },
  };
}
