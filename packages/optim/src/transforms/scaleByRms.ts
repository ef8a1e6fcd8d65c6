import { astype, fullLike, square, subtract, type Tensor } from '@neumann/core';
import { checkOptions, flag, fraction, nonNegative, type RulesOf } from '../options.ts';
import type { GradientTransformation, Scalar, TensorTree } from '../protocol.ts';
import { stateLike, zerosOf, zipTrees } from '../trees.ts';
import { overRoot } from './mixed.ts';
import { movingAverage } from './movingAverage.ts';

/** Options of {@link scaleByRms}. */
export interface ScaleByRmsOptions {
  /** Decay of the moving averages; 0.9. */
  readonly decay?: Scalar;
  /** Added to the mean square; 1e-8. */
  readonly eps?: Scalar;
  /** First value of the mean square; 0 (TensorFlow has 1). */
  readonly initialScale?: number;
  /** Whether `eps` is under the square root (true, as in TensorFlow 1) or beside it (PyTorch). */
  readonly epsInSqrt?: boolean;
}

/** State of {@link scaleByRms}. */
export interface ScaleByRmsState {
  /** Moving average of squared updates. */
  readonly nu: TensorTree;
}

/** State of {@link scaleByStddev}. */
export interface ScaleByStddevState extends ScaleByRmsState {
  /** Moving average of updates. */
  readonly mu: TensorTree;
}

export const rmsRules: RulesOf<ScaleByRmsOptions> = {
  decay: fraction,
  eps: nonNegative,
  initialScale: nonNegative,
  epsInSqrt: flag,
};

/**
 * Divides updates by the root of the moving average of their squares (RMSProp; Hinton 2012):
 * `v = decay v + (1 - decay) g²`, `u = g / √(v + eps)`.
 *
 * @example
 * const tx = chain(scaleByRms({ decay: 0.99 }), scaleByLearningRate(1e-3));
 */
export function scaleByRms(options: ScaleByRmsOptions = {}): GradientTransformation<ScaleByRmsState> {
  checkOptions('scaleByRms', options, rmsRules);
  const { decay = 0.9, initialScale = 0 } = options;
  return {
    init: (params) => ({ nu: stateLike('scaleByRms', params, (x) => fullLike(x, initialScale)) }),
    update: (updates, state) => {
      const nu = movingAverage('scaleByRms', state.nu, updates, decay, square);
      const direction = zipTrees('scaleByRms', { updates }, { nu }, (u, n) => scaled(u, n, options));
      return [direction, { nu }];
    },
  };
}

/**
 * Divides updates by their moving standard deviation: RMSProp, centered (Graves 2013, https://arxiv.org/abs/1308.0850).
 * `m` and `v` are the moving averages of updates and of their squares, and `u = g / √(v - m² + eps)`.
 *
 * @example
 * const tx = chain(scaleByStddev(), scaleByLearningRate(1e-3));
 */
export function scaleByStddev(options: ScaleByRmsOptions = {}): GradientTransformation<ScaleByStddevState> {
  checkOptions('scaleByStddev', options, rmsRules);
  const { decay = 0.9, initialScale = 0 } = options;
  return {
    init: (params) => ({
      mu: zerosOf('scaleByStddev', params),
      nu: stateLike('scaleByStddev', params, (x) => fullLike(x, initialScale)),
    }),
    update: (updates, state) => {
      const mu = movingAverage('scaleByStddev', state.mu, updates, decay);
      const nu = movingAverage('scaleByStddev', state.nu, updates, decay, square);
      const direction = zipTrees('scaleByStddev', { updates }, { mu, nu }, (u, m, n) =>
        scaled(u, subtract(n, square(m)), options),
      );
      return [direction, { mu, nu }];
    },
  };
}

function scaled(u: Tensor, squares: Tensor, { eps = 1e-8, epsInSqrt = true }: ScaleByRmsOptions): Tensor {
  return astype(overRoot(u, squares, epsInSqrt ? { eps: 0, epsRoot: eps } : { eps }), u.dtype);
}
