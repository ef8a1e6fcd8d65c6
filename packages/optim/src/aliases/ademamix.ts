import { checkOptions } from '../options.ts';
import { chain, type GradientTransformation } from '../protocol.ts';
import { type ScaleByScheduleState, scaleByLearningRate } from '../transforms/scale.ts';
import {
  ademamixRules,
  type ScaleByAdemamixOptions,
  type ScaleByAdemamixState,
  scaleByAdemamix,
} from '../transforms/scaleByAdemamix.ts';
import { type DecayOptions, decay, decayRules, type RateOptions, rateRules } from './rate.ts';

/** Options of {@link ademamix}. */
export interface AdemamixOptions extends ScaleByAdemamixOptions, RateOptions, DecayOptions {}

/**
 * AdEMAMix (Pagliardini, Ablin and Grangier 2024, https://arxiv.org/abs/2409.03137): Adam with a second, much slower average s
 * of gradients, for which tens of thousands of steps still count: `w = w - η ((m̂ + alpha s) / (√v̂ + eps) + weightDecay w)`.
 *
 * @throws {OptionError} for options that are unknown, missing or out of range.
 * @example
 * const tx = ademamix({ learningRate: 1e-3 });
 */
export function ademamix(
  options: AdemamixOptions,
): GradientTransformation<readonly [ScaleByAdemamixState, null, ScaleByScheduleState]> {
  checkOptions('ademamix', options, { ...rateRules, ...decayRules, ...ademamixRules });
  const { learningRate, weightDecay = 0, mask, ...rest } = options;
  return chain(scaleByAdemamix(rest), decay(weightDecay, mask), scaleByLearningRate(learningRate));
}
