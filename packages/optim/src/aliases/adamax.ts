import { checkOptions } from '../options.ts';
import { chain, type GradientTransformation } from '../protocol.ts';
import { type ScaleByScheduleState, scaleByLearningRate } from '../transforms/scale.ts';
import type { ScaleByAdamState } from '../transforms/scaleByAdam.ts';
import { adamaxRules, type ScaleByAdamaxOptions, scaleByAdamax } from '../transforms/scaleByAdamax.ts';
import { type DecayOptions, decay, decayRules, type RateOptions, rateRules } from './rate.ts';

/** Options of {@link adamax}. */
export interface AdamaxOptions extends ScaleByAdamaxOptions, RateOptions {}

/**
 * Adamax (Kingma and Ba 2015, Section 7.1, https://arxiv.org/abs/1412.6980): Adam with the decaying maximum of gradients as the
 * denominator: `v = max(b2 v, |g| + eps)`, `w = w - η m̂ / v`. For sparse gradients that are large now and then.
 *
 * @throws {OptionError} for options that are unknown, missing or out of range.
 * @example
 * const tx = adamax({ learningRate: 2e-3 });
 */
export function adamax(
  options: AdamaxOptions,
): GradientTransformation<readonly [ScaleByAdamState, ScaleByScheduleState]> {
  checkOptions('adamax', options, { ...rateRules, ...adamaxRules });
  const { learningRate, ...rest } = options;
  return chain(scaleByAdamax(rest), scaleByLearningRate(learningRate));
}

/** Options of {@link adamaxw}. */
export interface AdamaxwOptions extends ScaleByAdamaxOptions, RateOptions, DecayOptions {}

/**
 * Adamax with decoupled weight decay, 1e-4 by default: `w = w - η (m̂ / v + weightDecay w)` (Kingma and Ba 2015, Loshchilov and
 * Hutter 2019).
 *
 * @throws {OptionError} for options that are unknown, missing or out of range.
 * @example
 * const tx = adamaxw({ learningRate: 2e-3 });
 */
export function adamaxw(
  options: AdamaxwOptions,
): GradientTransformation<readonly [ScaleByAdamState, null, ScaleByScheduleState]> {
  checkOptions('adamaxw', options, { ...rateRules, ...decayRules, ...adamaxRules });
  const { learningRate, weightDecay = 1e-4, mask, ...rest } = options;
  return chain(scaleByAdamax(rest), decay(weightDecay, mask), scaleByLearningRate(learningRate));
}
