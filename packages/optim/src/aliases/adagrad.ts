import { checkOptions } from '../options.ts';
import { chain, type GradientTransformation } from '../protocol.ts';
import { type ScaleByScheduleState, scaleByLearningRate } from '../transforms/scale.ts';
import {
  rssRules,
  type ScaleByRssOptions,
  type ScaleByRssState,
  scaleByRss,
} from '../transforms/scaleByRss.ts';
import { type RateOptions, rateRules } from './rate.ts';

/** Options of {@link adagrad}. */
export interface AdagradOptions extends ScaleByRssOptions, RateOptions {}

/**
 * Adagrad (Duchi, Hazan and Singer 2011, https://jmlr.org/papers/v12/duchi11a.html): steps shrink with the root of the sum of
 * all squared gradients, for each parameter by itself: `s = s + g²`, `w = w - η g / √(s + eps)`. For convex problems with
 * sparse features.
 *
 * @throws {OptionError} for options that are unknown, missing or out of range.
 * @example
 * const tx = adagrad({ learningRate: 0.1 });
 */
export function adagrad(
  options: AdagradOptions,
): GradientTransformation<readonly [ScaleByRssState, ScaleByScheduleState]> {
  checkOptions('adagrad', options, { ...rateRules, ...rssRules });
  const { learningRate, ...rest } = options;
  return chain(scaleByRss(rest), scaleByLearningRate(learningRate));
}
