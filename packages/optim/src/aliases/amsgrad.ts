import { checkOptions } from '../options.ts';
import { chain, type GradientTransformation } from '../protocol.ts';
import { type ScaleByScheduleState, scaleByLearningRate } from '../transforms/scale.ts';
import { type MomentOptions, momentRules } from '../transforms/scaleByAdam.ts';
import { type ScaleByAmsgradState, scaleByAmsgrad } from '../transforms/scaleByAmsgrad.ts';
import { type RateOptions, rateRules } from './rate.ts';

/** Options of {@link amsgrad}. */
export interface AmsgradOptions extends MomentOptions, RateOptions {}

/**
 * AMSGrad (Reddi, Kale and Kumar 2018, https://arxiv.org/abs/1904.09237): Adam whose denominator never shrinks, which mends
 * Adam's proof of convergence: `V = max(V, v̂)`, `w = w - η m̂ / (√V + eps)`.
 *
 * @throws {OptionError} for options that are unknown, missing or out of range.
 * @example
 * const tx = amsgrad({ learningRate: 1e-3 });
 */
export function amsgrad(
  options: AmsgradOptions,
): GradientTransformation<readonly [ScaleByAmsgradState, ScaleByScheduleState]> {
  checkOptions('amsgrad', options, { ...rateRules, ...momentRules });
  const { learningRate, ...rest } = options;
  return chain(scaleByAmsgrad(rest), scaleByLearningRate(learningRate));
}
