import { checkOptions } from '../options.ts';
import { chain, type GradientTransformation } from '../protocol.ts';
import { type ScaleByScheduleState, scaleByLearningRate } from '../transforms/scale.ts';
import {
  adamRules,
  type ScaleByAdamOptions,
  type ScaleByAdamState,
  scaleByAdam,
} from '../transforms/scaleByAdam.ts';
import { type DecayOptions, decay, decayRules, type RateOptions, rateRules } from './rate.ts';

/** Options of {@link adam}. */
export interface AdamOptions extends ScaleByAdamOptions, RateOptions {}

/**
 * Adam (Kingma and Ba 2015, https://arxiv.org/abs/1412.6980): the average gradient over the root of the average square, so
 * that each parameter moves by about the learning rate. `m = b1 m + (1 - b1) g`, `v = b2 v + (1 - b2) g²`,
 * `w = w - η m̂ / (√(v̂ + epsRoot) + eps)` with averages corrected for starting at zero. `chain(scaleByAdam(…),
 * scaleByLearningRate(…))`.
 *
 * @throws {OptionError} for options that are unknown, missing or out of range.
 * @example
 * const tx = adam({ learningRate: 1e-3 });
 */
export function adam(
  options: AdamOptions,
): GradientTransformation<readonly [ScaleByAdamState, ScaleByScheduleState]> {
  checkOptions('adam', options, { ...rateRules, ...adamRules });
  const { learningRate, ...rest } = options;
  return chain(scaleByAdam(rest), scaleByLearningRate(learningRate));
}

/** Options of {@link adamw}. */
export interface AdamwOptions extends ScaleByAdamOptions, RateOptions, DecayOptions {}

/**
 * AdamW (Loshchilov and Hutter 2019, https://arxiv.org/abs/1711.05101): Adam with decoupled weight decay, 1e-4 by default:
 * `w = w - η (m̂ / (√v̂ + eps) + weightDecay w)`. Usually without biases and norms: `mask: (_, w) => w.ndim > 1`.
 *
 * @throws {OptionError} for options that are unknown, missing or out of range.
 * @example
 * const tx = adamw({ learningRate: 1e-3, weightDecay: 0.01, mask: (_, w) => w.ndim > 1 });
 */
export function adamw(
  options: AdamwOptions,
): GradientTransformation<readonly [ScaleByAdamState, null, ScaleByScheduleState]> {
  checkOptions('adamw', options, { ...rateRules, ...decayRules, ...adamRules });
  const { learningRate, weightDecay = 1e-4, mask, ...rest } = options;
  return chain(scaleByAdam(rest), decay(weightDecay, mask), scaleByLearningRate(learningRate));
}
