import { checkOptions } from '../options.ts';
import type { GradientTransformation } from '../protocol.ts';
import type { ScaleByScheduleState } from '../transforms/scale.ts';
import { type MomentOptions, momentRules, type ScaleByAdamState } from '../transforms/scaleByAdam.ts';
import { adam, adamw } from './adam.ts';
import { type DecayOptions, decayRules, type RateOptions, rateRules } from './rate.ts';

/** Options of {@link nadam}. */
export interface NadamOptions extends MomentOptions, RateOptions {}

/** Options of {@link nadamw}. */
export interface NadamwOptions extends NadamOptions, DecayOptions {}

/**
 * NAdam (Dozat 2016, https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ): Adam with Nesterov's momentum, in which the
 * gradient counts once more: `w = w - η (b1 m̂' + (1 - b1) ĝ) / (√v̂ + eps)`. `adam({ nesterov: true })`; PyTorch's also warms
 * `b1` up.
 *
 * @throws {OptionError} for options that are unknown, missing or out of range.
 * @example
 * const tx = nadam({ learningRate: 2e-3 });
 */
export function nadam(
  options: NadamOptions,
): GradientTransformation<readonly [ScaleByAdamState, ScaleByScheduleState]> {
  checkOptions('nadam', options, { ...rateRules, ...momentRules });
  return adam({ ...options, nesterov: true });
}

/**
 * NAdam with decoupled weight decay, 1e-4 by default: `adamw({ nesterov: true })`.
 *
 * @throws {OptionError} for options that are unknown, missing or out of range.
 * @example
 * const tx = nadamw({ learningRate: 2e-3, weightDecay: 0.01 });
 */
export function nadamw(
  options: NadamwOptions,
): GradientTransformation<readonly [ScaleByAdamState, null, ScaleByScheduleState]> {
  checkOptions('nadamw', options, { ...rateRules, ...momentRules, ...decayRules });
  return adamw({ ...options, nesterov: true });
}
