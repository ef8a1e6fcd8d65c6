import { checkOptions, nonNegative, scheduled } from '../options.ts';
import { chain, type GradientTransformation, type Scalar, type Schedule } from '../protocol.ts';
import { type ScaleByScheduleState, scaleByLearningRate } from '../transforms/scale.ts';
import {
  distanceRules,
  type ScaleByDistanceOptions,
  type ScaleByDistanceState,
  scaleByDistanceOverGradients,
  scaleByDistanceOverWeightedGradients,
} from '../transforms/scaleByDistance.ts';

/** Options of {@link dog} and {@link dowg}. */
export interface DogOptions extends ScaleByDistanceOptions {
  /** A factor of the step that is found; 1. */
  readonly learningRate?: Scalar | Schedule;
}

const rules = { ...distanceRules, learningRate: scheduled(nonNegative) };

/**
 * DoG, distance over gradients (Ivgi, Hinder and Carmon 2023, https://arxiv.org/abs/2302.12022): gradient descent whose step is the
 * greatest distance from the start so far over the root of the sum of squared gradients: `w = w - max‖w - w₀‖/√(Σ‖g‖²) g`. No
 * learning rate to tune; average the parameters with {@link paramsEma}.
 *
 * @throws {OptionError} for options that are unknown or out of range.
 * @example
 * const tx = dog();
 */
export function dog(
  options: DogOptions = {},
): GradientTransformation<readonly [ScaleByDistanceState, ScaleByScheduleState]> {
  checkOptions('dog', options, rules);
  const { learningRate = 1, ...rest } = options;
  return chain(scaleByDistanceOverGradients(rest), scaleByLearningRate(learningRate));
}

/**
 * DoWG (Khaled, Mishchenko and Jin 2023, https://arxiv.org/abs/2305.16284): {@link dog} with gradients weighted by the distance, which
 * adapts to smooth problems as well: `r = max‖w - w₀‖`, `w = w - r²/√(Σ r²‖g‖²) g`.
 *
 * @throws {OptionError} for options that are unknown or out of range.
 * @example
 * const tx = dowg();
 */
export function dowg(
  options: DogOptions = {},
): GradientTransformation<readonly [ScaleByDistanceState, ScaleByScheduleState]> {
  checkOptions('dowg', options, rules);
  const { learningRate = 1, ...rest } = options;
  return chain(scaleByDistanceOverWeightedGradients(rest), scaleByLearningRate(learningRate));
}
