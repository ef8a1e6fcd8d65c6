import { checkOptions } from '../options.ts';
import { chain, type GradientTransformation } from '../protocol.ts';
import { type ScaleByScheduleState, scaleByLearningRate } from '../transforms/scale.ts';
import type { ScaleByAdamState } from '../transforms/scaleByAdam.ts';
import { radamRules, type ScaleByRadamOptions, scaleByRadam } from '../transforms/scaleByRadam.ts';
import { type RateOptions, rateRules } from './rate.ts';

/** Options of {@link radam}. */
export interface RadamOptions extends ScaleByRadamOptions, RateOptions {}

/**
 * RAdam (Liu et al. 2020, https://arxiv.org/abs/1908.03265): Adam that corrects the variance of its denominator, and is momentum
 * alone in the first steps, so that it needs no warm-up: `w = w - η r m̂ / (√v̂ + eps)`.
 *
 * @throws {OptionError} for options that are unknown, missing or out of range.
 * @example
 * const tx = radam({ learningRate: 1e-3 });
 */
export function radam(
  options: RadamOptions,
): GradientTransformation<readonly [ScaleByAdamState, ScaleByScheduleState]> {
  checkOptions('radam', options, { ...rateRules, ...radamRules });
  const { learningRate, ...rest } = options;
  return chain(scaleByRadam(rest), scaleByLearningRate(learningRate));
}
