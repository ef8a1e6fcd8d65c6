import { checkOptions } from '../options.ts';
import { chain, type GradientTransformation } from '../protocol.ts';
import { type ScaleByScheduleState, scaleByLearningRate } from '../transforms/scale.ts';
import {
  type MomentOptions,
  momentRules,
  type ScaleByAdamState,
  scaleByAdam,
} from '../transforms/scaleByAdam.ts';
import { scaleByTrustRatio } from '../transforms/scaleByTrustRatio.ts';
import { type DecayOptions, decay, decayRules, type RateOptions, rateRules } from './rate.ts';

/** Options of {@link lamb}. */
export interface LambOptions extends MomentOptions, RateOptions, DecayOptions {}

/**
 * LAMB (You et al. 2020, https://arxiv.org/abs/1904.00962): Adam's direction r, with decoupled weight decay (0 by default),
 * given the norm of its tensor: `w = w - η ‖w‖/‖r + weightDecay w‖ (r + weightDecay w)`. For batches of many thousands.
 * `eps` is 1e-6 by default.
 *
 * @throws {OptionError} for options that are unknown, missing or out of range.
 * @example
 * const tx = lamb({ learningRate: 1e-2, weightDecay: 0.01 });
 */
export function lamb(
  options: LambOptions,
): GradientTransformation<readonly [ScaleByAdamState, null, null, ScaleByScheduleState]> {
  checkOptions('lamb', options, { ...rateRules, ...momentRules, ...decayRules });
  const { learningRate, weightDecay = 0, mask, ...moments } = options;
  return chain(
    scaleByAdam({ eps: 1e-6, ...moments }),
    decay(weightDecay, mask),
    scaleByTrustRatio(),
    scaleByLearningRate(learningRate),
  );
}
