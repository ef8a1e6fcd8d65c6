import { checkOptions } from '../options.ts';
import { chain, type GradientTransformation } from '../protocol.ts';
import { type ScaleByScheduleState, scaleByLearningRate } from '../transforms/scale.ts';
import {
  adadeltaRules,
  type ScaleByAdadeltaOptions,
  type ScaleByAdadeltaState,
  scaleByAdadelta,
} from '../transforms/scaleByAdadelta.ts';
import { type DecayOptions, decay, decayRules, type RateOptions, rateRules } from './rate.ts';

/** Options of {@link adadelta}. */
export interface AdadeltaOptions extends ScaleByAdadeltaOptions, RateOptions, DecayOptions {}

/**
 * Adadelta (Zeiler 2012, https://arxiv.org/abs/1212.5701): steps in the units of the parameters, the root mean square of
 * updates over that of gradients: `w = w - η g √(X + eps) / √(G + eps)`, usually with a rate of 1; weight decay is 0 by
 * default.
 *
 * @throws {OptionError} for options that are unknown, missing or out of range.
 * @example
 * const tx = adadelta({ learningRate: 1 });
 */
export function adadelta(
  options: AdadeltaOptions,
): GradientTransformation<readonly [ScaleByAdadeltaState, null, ScaleByScheduleState]> {
  checkOptions('adadelta', options, { ...rateRules, ...decayRules, ...adadeltaRules });
  const { learningRate, weightDecay = 0, mask, ...rest } = options;
  return chain(scaleByAdadelta(rest), decay(weightDecay, mask), scaleByLearningRate(learningRate));
}
