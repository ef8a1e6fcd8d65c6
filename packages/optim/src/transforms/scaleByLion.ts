import { astype, sign } from '@neumann/core';
import { belowOne, checkOptions, type RulesOf } from '../options.ts';
import type { GradientTransformation, Scalar, TensorTree } from '../protocol.ts';
import { zerosOf, zipTrees } from '../trees.ts';
import { mixed } from './mixed.ts';
import { movingAverage } from './movingAverage.ts';

/** Options of {@link scaleByLion}. */
export interface ScaleByLionOptions {
  /** Decay of the average of gradients in the update; 0.9. */
  readonly b1?: Scalar;
  /** Decay of the average of gradients that is remembered; 0.99. */
  readonly b2?: Scalar;
}

/** State of {@link scaleByLion}. */
export interface ScaleByLionState {
  /** Moving average of gradients. */
  readonly mu: TensorTree;
}

export const lionRules: RulesOf<ScaleByLionOptions> = { b1: belowOne, b2: belowOne };

/**
 * The sign of an average of gradients (Lion; Chen et al. 2023, https://arxiv.org/abs/2302.06675):
 * `u = sign(b1 m + (1 - b1) g)`, then `m = b2 m + (1 - b2) g`.
 *
 * @example
 * const tx = chain(scaleByLion(), scaleByLearningRate(1e-4));
 */
export function scaleByLion(options: ScaleByLionOptions = {}): GradientTransformation<ScaleByLionState> {
  checkOptions('scaleByLion', options, lionRules);
  const { b1 = 0.9, b2 = 0.99 } = options;
  return {
    init: (params) => ({ mu: zerosOf('scaleByLion', params) }),
    update: (updates, { mu }) => {
      const direction = zipTrees('scaleByLion', { updates }, { 'the state': mu }, (u, m) =>
        astype(sign(mixed(b1, m, astype(u, m.dtype))), u.dtype),
      );
      return [direction, { mu: movingAverage('scaleByLion', mu, updates, b2) }];
    },
  };
}
