import {
  add,
  astype,
  clip,
  cond,
  divide,
  equal,
  maximum,
  multiply,
  random,
  remainder,
  type Tensor,
  zeros,
} from '@neumann/core';
import { hessianDiagonal } from '../curvature/hessianDiagonal.ts';
import { functionOf } from '../extra.ts';
import { belowOne, checkOptions, knownInteger, nonNegative, positive, type RulesOf } from '../options.ts';
import type { GradientTransformation, Scalar, TensorTree } from '../protocol.ts';
import { beside, zerosOf, zipTrees } from '../trees.ts';
import { noiseRules } from './addNoise.ts';
import { mixed } from './mixed.ts';
import { movingAverage } from './movingAverage.ts';

/** Options of {@link scaleBySophia}. */
export interface ScaleBySophiaOptions {
  /** From `random.key(seed)`, for the estimates of the Hessian. */
  readonly key: Tensor;
  /** Decay of the average of gradients; 0.965. */
  readonly b1?: Scalar;
  /** Decay of the average of the Hessian's diagonal; 0.99. */
  readonly b2?: Scalar;
  /** γ, how far steps are limited: greater for fewer clipped elements; 0.01. */
  readonly gamma?: Scalar;
  /** The least denominator; 1e-8. */
  readonly eps?: Scalar;
  /** The greatest element of an update; 1. */
  readonly clipThreshold?: Scalar;
  /** Steps between two estimates of the Hessian; 10. */
  readonly updateInterval?: number;
}

/** State of {@link scaleBySophia}. */
export interface ScaleBySophiaState {
  /** `i32[]`, updates made. */
  readonly count: Tensor;
  /** Moving average of gradients. */
  readonly mu: TensorTree;
  /** Moving average of the Hessian's diagonal. */
  readonly nu: TensorTree;
  /** `u32[2]`, for the next step. */
  readonly key: Tensor;
}

export const sophiaRules: RulesOf<ScaleBySophiaOptions> = {
  key: noiseRules.key,
  b1: belowOne,
  b2: belowOne,
  gamma: positive,
  eps: nonNegative,
  clipThreshold: positive,
  updateInterval: knownInteger(1),
};

/**
 * An average gradient over the diagonal of the Hessian, clipped (Sophia-H; Liu et al. 2024, https://arxiv.org/abs/2305.14342):
 *
 *     m = b1 m + (1 - b1) g,   h = b2 h + (1 - b2) ĥ every `updateInterval` steps,   u = clip(m / max(γ h, eps), ±clipThreshold)
 *
 * where `ĥ = s ⊙ H s` with random signs s is an estimate of the diagonal ({@link hessianDiagonal}). Needs `extra.valueFn`, the loss
 * as a function of parameters.
 *
 * @throws {OptionError} without `extra.valueFn`.
 * @example
 * const tx = chain(scaleBySophia({ key: random.key(0) }), scaleByLearningRate(1e-3));
 */
export function scaleBySophia(options: ScaleBySophiaOptions): GradientTransformation<ScaleBySophiaState> {
  const op = 'scaleBySophia';
  checkOptions(op, options, sophiaRules);
  const { b1 = 0.965, b2 = 0.99, gamma = 0.01, eps = 1e-8, clipThreshold = 1, updateInterval = 10 } = options;
  return {
    init: (params) => ({
      count: zeros([], 'int32'),
      mu: zerosOf(op, params),
      nu: zerosOf(op, params),
      key: random.foldIn(options.key, 0), // the state's own: who donates it keeps the key
    }),
    update: (updates, state, params, extra) => {
      const valueFn = functionOf<(params: unknown) => Tensor>(op, extra, 'valueFn');
      const [key, now] = random.split(state.key) as [Tensor, Tensor];
      const isDue = equal(remainder(state.count, updateInterval), 0);
      const mu = movingAverage(op, state.mu, updates, b1);
      const estimated = (nu: TensorTree): TensorTree => {
        const diagonal = hessianDiagonal(valueFn, params as TensorTree, { key: now });
        return zipTrees(op, { nu }, { diagonal }, (h, d) => mixed(b2, h, astype(d, h.dtype)));
      };
      const nu: TensorTree = cond(isDue, estimated, (h: TensorTree) => h, state.nu);
      const result = zipTrees(op, { updates }, { mu, nu }, (u, m, h) => {
        const most = beside(m, clipThreshold);
        const ratio = divide(m, maximum(multiply(beside(h, gamma), h), beside(h, eps)));
        return astype(clip(ratio, { min: multiply(-1, most), max: most }), u.dtype);
      });
      return [result, { count: add(state.count, 1), mu, nu, key }];
    },
  };
}
