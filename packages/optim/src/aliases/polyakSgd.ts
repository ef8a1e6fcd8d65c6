import { checkOptions, nonNegative, scheduled } from '../options.ts';
import { chain, type GradientTransformation, type Scalar, type Schedule } from '../protocol.ts';
import { type ScaleByScheduleState, scaleByLearningRate } from '../transforms/scale.ts';
import { polyakRules, type ScaleByPolyakOptions, scaleByPolyak } from '../transforms/scaleByPolyak.ts';

/** Options of {@link polyakSgd}. */
export interface PolyakSgdOptions extends ScaleByPolyakOptions {
  /** A factor of Polyak's step; 1. */
  readonly scaling?: Scalar | Schedule;
}

/**
 * Gradient descent with Polyak's step (Loizou et al. 2021, https://arxiv.org/abs/2002.10542), which needs the least loss in
 * place of a rate: `w = w - min((f - fMin)/(‖g‖² + eps), maxLearningRate) g`. Needs `extra.value`, the loss.
 *
 * @throws {OptionError} for options that are unknown or out of range, and without `extra.value`.
 * @example
 * const f = (w: Tensor) => sum(square(w));
 * const tx = polyakSgd();
 * const w = tensor([3, 4]);
 * const [value, g] = valueAndGrad(f)(w);
 * const [updates] = tx.update(g, tx.init(w), w, { value });
 * applyUpdates(w, updates)   // [1.5, 2]
 */
export function polyakSgd(
  options: PolyakSgdOptions = {},
): GradientTransformation<readonly [null, ScaleByScheduleState]> {
  checkOptions('polyakSgd', options, { ...polyakRules, scaling: scheduled(nonNegative) });
  const { scaling = 1, ...rest } = options;
  return chain(scaleByPolyak(rest), scaleByLearningRate(scaling));
}
