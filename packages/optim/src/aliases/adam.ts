import { checkOptions, nonNegative, required, scheduled } from '../options.ts';
import { chain, type GradientTransformation, type Scalar, type Schedule } from '../protocol.ts';
import { type ScaleByScheduleState, scaleByLearningRate } from '../transforms/scale.ts';
import {
  adamRules,
  type ScaleByAdamOptions,
  type ScaleByAdamState,
  scaleByAdam,
} from '../transforms/scaleByAdam.ts';

export interface AdamOptions extends ScaleByAdamOptions {
  readonly learningRate: Scalar | Schedule;
}

/**
 * Adam: `chain(scaleByAdam({ b1, b2, eps, epsRoot }), scaleByLearningRate(learningRate))`.
 *
 * @example
 * const tx = adam({ learningRate: 1e-3 });
 */
export function adam(
  options: AdamOptions,
): GradientTransformation<readonly [ScaleByAdamState, ScaleByScheduleState]> {
  checkOptions('adam', options, { learningRate: required(scheduled(nonNegative)), ...adamRules });
  const { learningRate, ...rest } = options;
  return chain(scaleByAdam(rest), scaleByLearningRate(learningRate));
}
