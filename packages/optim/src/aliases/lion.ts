import { checkOptions } from '../options.ts';
import { chain, type GradientTransformation } from '../protocol.ts';
import { type ScaleByScheduleState, scaleByLearningRate } from '../transforms/scale.ts';
import {
  lionRules,
  type ScaleByLionOptions,
  type ScaleByLionState,
  scaleByLion,
} from '../transforms/scaleByLion.ts';
import { type DecayOptions, decay, decayRules, type RateOptions, rateRules } from './rate.ts';

/** Options of {@link lion}. */
export interface LionOptions extends ScaleByLionOptions, RateOptions, DecayOptions {}

/**
 * Lion (Chen et al. 2023, https://arxiv.org/abs/2302.06675), found by program search: the sign of an average gradient, with
 * decoupled weight decay, 1e-3 by default: `w = w - η (sign(b1 m + (1 - b1) g) + weightDecay w)`, `m = b2 m + (1 - b2) g`. Half
 * of Adam's memory; rates 3 to 10 times smaller, decays as much greater.
 *
 * @throws {OptionError} for options that are unknown, missing or out of range.
 * @example
 * const tx = lion({ learningRate: 1e-4 });
 */
export function lion(
  options: LionOptions,
): GradientTransformation<readonly [ScaleByLionState, null, ScaleByScheduleState]> {
  checkOptions('lion', options, { ...rateRules, ...decayRules, ...lionRules });
  const { learningRate, weightDecay = 1e-3, mask, ...rest } = options;
  return chain(scaleByLion(rest), decay(weightDecay, mask), scaleByLearningRate(learningRate));
}
