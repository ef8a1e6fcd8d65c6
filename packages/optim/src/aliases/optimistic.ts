import { checkOptions, finite } from '../options.ts';
import { chain, type GradientTransformation, type Scalar } from '../protocol.ts';
import { type ScaleByScheduleState, scaleByLearningRate } from '../transforms/scale.ts';
import {
  adamRules,
  type ScaleByAdamOptions,
  type ScaleByAdamState,
  scaleByAdam,
} from '../transforms/scaleByAdam.ts';
import {
  optimisticRules,
  type ScaleByOptimisticGradientOptions,
  type ScaleByOptimisticGradientState,
  scaleByOptimisticGradient,
} from '../transforms/scaleByOptimisticGradient.ts';
import { type RateOptions, rateRules } from './rate.ts';

/** Options of {@link optimisticGradientDescent}. */
export interface OptimisticGradientDescentOptions extends ScaleByOptimisticGradientOptions, RateOptions {}

/** Options of {@link optimisticAdam}. */
export interface OptimisticAdamOptions extends ScaleByAdamOptions, RateOptions {
  /** Weight of the change of Adam's direction; 1. */
  readonly optimism?: Scalar;
}

/** Options of {@link optimisticAdamV2}. */
export interface OptimisticAdamV2Options
  extends ScaleByAdamOptions,
    ScaleByOptimisticGradientOptions,
    RateOptions {}

/**
 * Optimistic gradient descent (Popov 1980; Daskalakis et al. 2018, https://arxiv.org/abs/1711.00141):
 * `w = w - η (alpha g + beta (g - g_previous))`. For games of two players, where plain descent circles.
 *
 * @throws {OptionError} for options that are unknown, missing or out of range.
 * @example
 * const tx = optimisticGradientDescent({ learningRate: 0.1 });
 */
export function optimisticGradientDescent(
  options: OptimisticGradientDescentOptions,
): GradientTransformation<readonly [ScaleByOptimisticGradientState, ScaleByScheduleState]> {
  checkOptions('optimisticGradientDescent', options, { ...rateRules, ...optimisticRules });
  const { learningRate, ...rest } = options;
  return chain(scaleByOptimisticGradient(rest), scaleByLearningRate(learningRate));
}

/**
 * Optimistic Adam (Daskalakis et al. 2018, https://arxiv.org/abs/1711.00141): with Adam's direction d,
 * `w = w - η (d + optimism (d - d_previous))`.
 *
 * @throws {OptionError} for options that are unknown, missing or out of range.
 * @example
 * const tx = optimisticAdam({ learningRate: 1e-3 });
 */
export function optimisticAdam(
  options: OptimisticAdamOptions,
): GradientTransformation<readonly [ScaleByAdamState, ScaleByOptimisticGradientState, ScaleByScheduleState]> {
  checkOptions('optimisticAdam', options, { ...rateRules, ...adamRules, optimism: finite });
  const { learningRate, optimism = 1, ...rest } = options;
  return chain(
    scaleByAdam(rest),
    scaleByOptimisticGradient({ beta: optimism }),
    scaleByLearningRate(learningRate),
  );
}

/**
 * Adam of optimistic gradients, `alpha g + beta (g - g_previous)`: the other order of {@link optimisticAdam}'s parts.
 *
 * @throws {OptionError} for options that are unknown, missing or out of range.
 * @example
 * const tx = optimisticAdamV2({ learningRate: 1e-3, beta: 0.5 });
 */
export function optimisticAdamV2(
  options: OptimisticAdamV2Options,
): GradientTransformation<readonly [ScaleByOptimisticGradientState, ScaleByAdamState, ScaleByScheduleState]> {
  checkOptions('optimisticAdamV2', options, { ...rateRules, ...adamRules, ...optimisticRules });
  const { learningRate, alpha = 1, beta = 1, ...rest } = options;
  return chain(
    scaleByOptimisticGradient({ alpha, beta }),
    scaleByAdam(rest),
    scaleByLearningRate(learningRate),
  );
}
