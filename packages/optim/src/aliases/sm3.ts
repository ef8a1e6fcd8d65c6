import { checkOptions } from '../options.ts';
import { chain, type GradientTransformation } from '../protocol.ts';
import { type ScaleByScheduleState, scaleByLearningRate } from '../transforms/scale.ts';
import {
  type ScaleBySm3Options,
  type ScaleBySm3State,
  scaleBySm3,
  sm3Rules,
} from '../transforms/scaleBySm3.ts';
import { type RateOptions, rateRules } from './rate.ts';

/** Options of {@link sm3}. */
export interface Sm3Options extends ScaleBySm3Options, RateOptions {}

/**
 * SM3 (Anil et al. 2019, https://arxiv.org/abs/1901.11150): Adagrad that remembers a vector for each axis of a tensor, not a
 * number for each element: `w = w - η m`, `m = b1 m + (1 - b1) g/√(s + eps)`. See {@link scaleBySm3}.
 *
 * @throws {OptionError} for options that are unknown, missing or out of range.
 * @example
 * const tx = sm3({ learningRate: 0.1 });
 */
export function sm3(
  options: Sm3Options,
): GradientTransformation<readonly [ScaleBySm3State, ScaleByScheduleState]> {
  checkOptions('sm3', options, { ...rateRules, ...sm3Rules });
  const { learningRate, ...rest } = options;
  return chain(scaleBySm3(rest), scaleByLearningRate(learningRate));
}
