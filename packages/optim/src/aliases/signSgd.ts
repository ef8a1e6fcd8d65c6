import { belowOne, checkOptions } from '../options.ts';
import { chain, type GradientTransformation, type Scalar } from '../protocol.ts';
import { type EmaState, ema } from '../transforms/ema.ts';
import { type ScaleByScheduleState, scaleByLearningRate } from '../transforms/scale.ts';
import { scaleBySign } from '../transforms/scaleBySign.ts';
import { type RateOptions, rateRules } from './rate.ts';

/** Options of {@link signum}. */
export interface SignumOptions extends RateOptions {
  /** Decay of the average of gradients; 0.9. */
  readonly momentum?: Scalar;
}

/**
 * signSGD (Bernstein et al. 2018, https://arxiv.org/abs/1802.04434): `w = w - η sign(g)`. One bit for each parameter has to be
 * communicated.
 *
 * @throws {OptionError} for options that are unknown, missing or out of range.
 * @example
 * const tx = signSgd({ learningRate: 1e-3 });
 */
export function signSgd(options: RateOptions): GradientTransformation<readonly [null, ScaleByScheduleState]> {
  checkOptions('signSgd', options, rateRules);
  return chain(scaleBySign(), scaleByLearningRate(options.learningRate));
}

/**
 * Signum (Bernstein et al. 2018, https://arxiv.org/abs/1802.04434): signSGD of an average gradient,
 * `m = momentum m + (1 - momentum) g`, `w = w - η sign(m)`.
 *
 * @throws {OptionError} for options that are unknown, missing or out of range.
 * @example
 * const tx = signum({ learningRate: 1e-3 });
 */
export function signum(
  options: SignumOptions,
): GradientTransformation<readonly [EmaState, null, ScaleByScheduleState]> {
  checkOptions('signum', options, { ...rateRules, momentum: belowOne });
  const { learningRate, momentum = 0.9 } = options;
  return chain(ema({ decay: momentum, debias: false }), scaleBySign(), scaleByLearningRate(learningRate));
}
