import { add, astype, divide, multiply, sqrt, square } from '@neumann/core';
import { checkOptions, fraction, nonNegative, type RulesOf } from '../options.ts';
import type { GradientTransformation, Scalar, TensorTree } from '../protocol.ts';
import { beside, zerosOf, zipTrees } from '../trees.ts';
import { movingAverage } from './movingAverage.ts';

/** Options of {@link scaleByAdadelta}. */
export interface ScaleByAdadeltaOptions {
  /** Decay of both averages; 0.9. */
  readonly rho?: Scalar;
  /** Added under both roots; 1e-6. */
  readonly eps?: Scalar;
}

/** State of {@link scaleByAdadelta}. */
export interface ScaleByAdadeltaState {
  /** Moving average of squared gradients. */
  readonly eG: TensorTree;
  /** Moving average of squared updates. */
  readonly eX: TensorTree;
}

export const adadeltaRules: RulesOf<ScaleByAdadeltaOptions> = { rho: fraction, eps: nonNegative };

/**
 * Scales gradients to the units of the parameters (Adadelta; Zeiler 2012, https://arxiv.org/abs/1212.5701):
 * `G = ρ G + (1 - ρ) g²`, `u = g √(X + eps) / √(G + eps)`, then `X = ρ X + (1 - ρ) u²`.
 *
 * @example
 * const tx = chain(scaleByAdadelta(), scaleByLearningRate(1));
 */
export function scaleByAdadelta(
  options: ScaleByAdadeltaOptions = {},
): GradientTransformation<ScaleByAdadeltaState> {
  const op = 'scaleByAdadelta';
  checkOptions(op, options, adadeltaRules);
  const { rho = 0.9, eps = 1e-6 } = options;
  return {
    init: (params) => ({ eG: zerosOf(op, params), eX: zerosOf(op, params) }),
    update: (updates, state) => {
      const eG = movingAverage(op, state.eG, updates, rho, square);
      const direction = zipTrees(op, { updates }, { eG, 'the state': state.eX }, (u, g, x) => {
        const ratio = divide(sqrt(add(x, beside(x, eps))), sqrt(add(g, beside(g, eps))));
        return astype(multiply(u, ratio), u.dtype);
      });
      return [direction, { eG, eX: movingAverage(op, state.eX, direction, rho, square) }];
    },
  };
}
