import { checkOptions } from '../options.ts';
import { chain, type GradientTransformation } from '../protocol.ts';
import { type ScaleByScheduleState, scaleByLearningRate } from '../transforms/scale.ts';
import {
  type ScaleBySophiaOptions,
  type ScaleBySophiaState,
  scaleBySophia,
  sophiaRules,
} from '../transforms/scaleBySophia.ts';
import { type DecayOptions, decay, decayRules, type RateOptions, rateRules } from './rate.ts';

/** Options of {@link sophia}. */
export interface SophiaOptions extends ScaleBySophiaOptions, RateOptions, DecayOptions {}

/**
 * Sophia-H (Liu et al. 2024, https://arxiv.org/abs/2305.14342): an average gradient over an estimate h of the Hessian's
 * diagonal, element by element at most 1, with decoupled weight decay, 1e-4 by default:
 * `w = w - η (clip(m/max(γ h, eps), ±1) + weightDecay w)`. Needs `extra.valueFn`. See {@link scaleBySophia}.
 *
 * @throws {OptionError} for options that are unknown, missing or out of range, and without `extra.valueFn`.
 * @example
 * const tx = sophia({ learningRate: 1e-3, key: random.key(0) });
 */
export function sophia(
  options: SophiaOptions,
): GradientTransformation<readonly [ScaleBySophiaState, null, ScaleByScheduleState]> {
  checkOptions('sophia', options, { ...rateRules, ...sophiaRules, ...decayRules });
  const { learningRate, weightDecay = 1e-4, mask, ...rest } = options;
  return chain(scaleBySophia(rest), decay(weightDecay, mask), scaleByLearningRate(learningRate));
}
