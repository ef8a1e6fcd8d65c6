import { add, astype, type Tensor, zeros } from '@neumann/core';
import { belowOne, checkOptions, flag, type RulesOf, required } from '../options.ts';
import type { GradientTransformation, Scalar, TensorTree } from '../protocol.ts';
import { countFor, zerosOf, zipTrees } from '../trees.ts';
import { movingAverage } from './movingAverage.ts';
import { debiased, weightSum } from './weightSum.ts';

/** Options of {@link ema} and {@link paramsEma}. */
export interface EmaOptions {
  /** How much of the average remains in a step. */
  readonly decay: Scalar;
  /** Whether the average is corrected for starting at zero; true. */
  readonly debias?: boolean;
}

/** State of {@link ema} and {@link paramsEma}. */
export interface EmaState {
  /** `i32[]`, updates made. */
  readonly count: Tensor;
  /** The moving average, which started at zero and is not corrected. */
  readonly ema: TensorTree;
}

export const emaRules: RulesOf<EmaOptions> = { decay: required(belowOne), debias: flag };

/**
 * The exponential moving average of updates: `m = decay m + (1 - decay) g`, `u = m / (1 - decay^t)`, or m if not `debias`.
 *
 * @example
 * const tx = chain(ema({ decay: 0.9 }), scaleByLearningRate(0.1));
 */
export function ema(options: EmaOptions): GradientTransformation<EmaState> {
  checkOptions('ema', options, emaRules);
  const { decay, debias = true } = options;
  return {
    init: (params) => ({ count: zeros([], 'int32'), ema: zerosOf('ema', params) }),
    update: (updates, state) => {
      const count = add(state.count, 1);
      const average = movingAverage('ema', state.ema, updates, decay);
      const weight = weightSum(decay, countFor(updates, count));
      const result = zipTrees('ema', { updates }, { average }, (u, m) =>
        astype(debias ? debiased(m, weight) : m, u.dtype),
      );
      return [result, { count, ema: average }];
    },
  };
}
