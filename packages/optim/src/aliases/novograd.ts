import { checkOptions } from '../options.ts';
import { chain, type GradientTransformation } from '../protocol.ts';
import { type ScaleByScheduleState, scaleByLearningRate } from '../transforms/scale.ts';
import type { ScaleByAdamState } from '../transforms/scaleByAdam.ts';
import {
  novogradRules,
  type ScaleByNovogradOptions,
  scaleByNovograd,
} from '../transforms/scaleByNovograd.ts';
import { type RateOptions, rateRules } from './rate.ts';

/** Options of {@link novograd}. */
export interface NovogradOptions extends ScaleByNovogradOptions, RateOptions {}

/**
 * NovoGrad (Ginsburg et al. 2019, https://arxiv.org/abs/1905.11286): momentum of gradients that are normalised tensor by
 * tensor, with weight decay inside the momentum: `m = b1 m + g/(√v + eps) + weightDecay w`, `w = w - η m`, where v averages
 * ‖g‖². One number for each tensor in place of Adam's second average.
 *
 * @throws {OptionError} for options that are unknown, missing or out of range.
 * @example
 * const tx = novograd({ learningRate: 1e-2 });
 */
export function novograd(
  options: NovogradOptions,
): GradientTransformation<readonly [ScaleByAdamState, ScaleByScheduleState]> {
  checkOptions('novograd', options, { ...rateRules, ...novogradRules });
  const { learningRate, ...rest } = options;
  return chain(scaleByNovograd(rest), scaleByLearningRate(learningRate));
}
