import { checkOptions } from '../options.ts';
import { chain, type GradientTransformation } from '../protocol.ts';
import { type ScaleByScheduleState, scaleByLearningRate } from '../transforms/scale.ts';
import {
  adanRules,
  type ScaleByAdanOptions,
  type ScaleByAdanState,
  scaleByAdan,
} from '../transforms/scaleByAdan.ts';
import { type DecayOptions, decay, decayRules, type RateOptions, rateRules } from './rate.ts';

/** Options of {@link adan}. */
export interface AdanOptions extends ScaleByAdanOptions, RateOptions, DecayOptions {}

/**
 * Adan (Xie et al. 2022, https://arxiv.org/abs/2208.06677): Adam with Nesterov momentum, through averages of the gradient, of
 * its change and of the squared gradient one step ahead: `w = w - η ((m̂ + b2 d̂) / (√n̂ + eps) + weightDecay w)`. See
 * {@link scaleByAdan}.
 *
 * @throws {OptionError} for options that are unknown, missing or out of range.
 * @example
 * const tx = adan({ learningRate: 1e-3 });
 */
export function adan(
  options: AdanOptions,
): GradientTransformation<readonly [ScaleByAdanState, null, ScaleByScheduleState]> {
  checkOptions('adan', options, { ...rateRules, ...decayRules, ...adanRules });
  const { learningRate, weightDecay = 0, mask, ...rest } = options;
  return chain(scaleByAdan(rest), decay(weightDecay, mask), scaleByLearningRate(learningRate));
}
