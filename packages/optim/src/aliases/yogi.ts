import { checkOptions } from '../options.ts';
import { chain, type GradientTransformation } from '../protocol.ts';
import { type ScaleByScheduleState, scaleByLearningRate } from '../transforms/scale.ts';
import type { ScaleByAdamState } from '../transforms/scaleByAdam.ts';
import { type ScaleByYogiOptions, scaleByYogi, yogiRules } from '../transforms/scaleByYogi.ts';
import { type RateOptions, rateRules } from './rate.ts';

/** Options of {@link yogi}. */
export interface YogiOptions extends ScaleByYogiOptions, RateOptions {}

/**
 * Yogi (Zaheer et al. 2018, https://papers.nips.cc/paper/8186): Adam whose average of squares changes by bounded steps, so
 * that a few large gradients are not forgotten at once: `v = v - (1 - b2) sign(v - g²) g²`, `w = w - η m̂ / (√v̂ + eps)`.
 *
 * @throws {OptionError} for options that are unknown, missing or out of range.
 * @example
 * const tx = yogi({ learningRate: 1e-2 });
 */
export function yogi(
  options: YogiOptions,
): GradientTransformation<readonly [ScaleByAdamState, ScaleByScheduleState]> {
  checkOptions('yogi', options, { ...rateRules, ...yogiRules });
  const { learningRate, ...rest } = options;
  return chain(scaleByYogi(rest), scaleByLearningRate(learningRate));
}
