import { checkOptions } from '../options.ts';
import { chain, type GradientTransformation } from '../protocol.ts';
import { type ScaleByScheduleState, scaleByLearningRate } from '../transforms/scale.ts';
import { type MomentOptions, momentRules, type ScaleByAdamState } from '../transforms/scaleByAdam.ts';
import { scaleByBelief } from '../transforms/scaleByBelief.ts';
import { type RateOptions, rateRules } from './rate.ts';

/** Options of {@link adabelief}. */
export interface AdabeliefOptions extends MomentOptions, RateOptions {}

/**
 * AdaBelief (Zhuang et al. 2020, https://arxiv.org/abs/2010.07468): Adam that divides by the root of the average squared
 * difference between gradient and average, and so takes long steps where gradients agree: `s = b2 s + (1 - b2)(g - m)² +
 * epsRoot`, `w = w - η m̂ / (√ŝ + eps)`.
 *
 * @throws {OptionError} for options that are unknown, missing or out of range.
 * @example
 * const tx = adabelief({ learningRate: 1e-3 });
 */
export function adabelief(
  options: AdabeliefOptions,
): GradientTransformation<readonly [ScaleByAdamState, ScaleByScheduleState]> {
  checkOptions('adabelief', options, { ...rateRules, ...momentRules });
  const { learningRate, ...rest } = options;
  return chain(scaleByBelief(rest), scaleByLearningRate(learningRate));
}
