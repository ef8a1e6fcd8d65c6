import {
  add,
  astype,
  divide,
  expm1,
  log,
  multiply,
  negative,
  sqrt,
  square,
  type Tensor,
  zeros,
  zerosLike,
} from '@neumann/core';
import { belowOne, checkOptions, nonNegative, type RulesOf } from '../options.ts';
import type { GradientTransformation, Scalar, TensorTree } from '../protocol.ts';
import { beside, countFor, stateLike, zipTrees } from '../trees.ts';
import { movingAverage } from './movingAverage.ts';

export interface ScaleByAdamOptions {
  /** Decay of the average of gradients; 0.9. */
  readonly b1?: Scalar;
  /** Decay of the average of their squares; 0.999. */
  readonly b2?: Scalar;
  /** Added to the denominator; 1e-8. */
  readonly eps?: Scalar;
  /** Added under its square root; 0. Above 0 it makes the update differentiable where gradients are 0. */
  readonly epsRoot?: Scalar;
}

export interface ScaleByAdamState {
  /** `i32[]`, updates made. */
  readonly count: Tensor;
  /** Moving average of gradients. */
  readonly mu: TensorTree;
  /** Moving average of their squares. */
  readonly nu: TensorTree;
}

export const adamRules: RulesOf<ScaleByAdamOptions> = {
  b1: belowOne,
  b2: belowOne,
  eps: nonNegative,
  epsRoot: nonNegative,
};

/**
 * Adam's direction: the average gradient over the root of the average square, each corrected for starting at zero
 * (Kingma and Ba 2015, https://arxiv.org/abs/1412.6980).
 */
export function scaleByAdam(options: ScaleByAdamOptions = {}): GradientTransformation<ScaleByAdamState> {
  checkOptions('scaleByAdam', options, adamRules);
  const { b1 = 0.9, b2 = 0.999, eps = 1e-8, epsRoot = 0 } = options;
  return {
    init: (params) => ({
      count: zeros([], 'int32'),
      mu: stateLike(params, zerosLike),
      nu: stateLike(params, zerosLike),
    }),
    update: (updates, state) => {
      const count = add(state.count, 1);
      const mu = movingAverage('scaleByAdam', state.mu, updates, b1);
      const nu = movingAverage('scaleByAdam', state.nu, updates, b2, square);
      const steps = countFor(updates, count);
      const [weightMu, weightNu] = [weightSum(b1, steps), weightSum(b2, steps)];
      const direction = zipTrees('scaleByAdam', { updates }, { mu, nu }, (u, m, n) => {
        const [first, second] = [divide(m, beside(m, weightMu)), divide(n, beside(n, weightNu))];
        const root = sqrt(add(second, beside(n, epsRoot)));
        return astype(divide(first, add(root, beside(n, eps))), u.dtype);
      });
      return [direction, { count, mu, nu }];
    },
  };
}

/** `1 - decay^steps`, the total weight of an average that started at zero, without cancellation for decays near 1. */
function weightSum(decay: Scalar, steps: Tensor): Tensor {
  const rate = typeof decay === 'number' ? Math.log(decay) : astype(log(decay), steps.dtype);
  return negative(expm1(multiply(rate, steps)));
}
