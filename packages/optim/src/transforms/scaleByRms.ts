import { add, astype, divide, fullLike, sqrt, square, subtract, type Tensor, zerosLike } from '@neumann/core';
import { checkOptions, flag, fraction, nonNegative, type RulesOf } from '../options.ts';
import type { GradientTransformation, Scalar, TensorTree } from '../protocol.ts';
import { beside, stateLike, zipTrees } from '../trees.ts';
import { movingAverage } from './movingAverage.ts';

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

export interface ScaleByRmsState {
  /** Moving average of squared updates. */
  readonly nu: TensorTree;
}

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

/** Divides updates by the root of the moving average of their squares (RMSProp; Hinton 2012). */
export function scaleByRms(options: ScaleByRmsOptions = {}): GradientTransformation<ScaleByRmsState> {
  checkOptions('scaleByRms', options, rmsRules);
  const { decay = 0.9, initialScale = 0 } = options;
  return {
    init: (params) => ({ nu: stateLike(params, (x) => fullLike(x, initialScale)) }),
    update: (updates, state) => {
      const nu = movingAverage('scaleByRms', state.nu, updates, decay, square);
      const scaled = zipTrees('scaleByRms', { updates }, { nu }, (u, n) => overRoot(u, n, options));
      return [scaled, { nu }];
    },
  };
}

/** Divides updates by their moving standard deviation: RMSProp, centered (Graves 2013). */
export function scaleByStddev(options: ScaleByRmsOptions = {}): GradientTransformation<ScaleByStddevState> {
  checkOptions('scaleByStddev', options, rmsRules);
  const { decay = 0.9, initialScale = 0 } = options;
  return {
    init: (params) => ({
      mu: stateLike(params, zerosLike),
      nu: stateLike(params, (x) => fullLike(x, initialScale)),
    }),
    update: (updates, state) => {
      const mu = movingAverage('scaleByStddev', state.mu, updates, decay);
      const nu = movingAverage('scaleByStddev', state.nu, updates, decay, square);
      const scaled = zipTrees('scaleByStddev', { updates }, { mu, nu }, (u, m, n) =>
        overRoot(u, subtract(n, square(m)), options),
      );
      return [scaled, { mu, nu }];
    },
  };
}

function overRoot(u: Tensor, squares: Tensor, { eps = 1e-8, epsInSqrt = true }: ScaleByRmsOptions): Tensor {
  const e = beside(squares, eps);
  return astype(divide(u, epsInSqrt ? sqrt(add(squares, e)) : add(sqrt(squares), e)), u.dtype);
}
