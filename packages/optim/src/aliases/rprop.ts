import { chain, type GradientTransformation } from '../protocol.ts';
import { scale } from '../transforms/scale.ts';
import {
  type ScaleByRpropOptions,
  type ScaleByRpropState,
  scaleByRprop,
} from '../transforms/scaleByRprop.ts';

/**
 * Rprop (Riedmiller and Braun 1993, https://doi.org/10.1109/ICNN.1993.298623; iRprop⁻): each parameter has a step of its own,
 * which grows by `etaPlus` while the sign of its gradient stays and shrinks by `etaMinus` when it changes. For full batches.
 *
 * @throws {OptionError} for options that are unknown, missing or out of range.
 * @example
 * const tx = rprop({ learningRate: 0.01 });
 */
export function rprop(
  options: ScaleByRpropOptions,
): GradientTransformation<readonly [ScaleByRpropState, null]> {
  return chain(scaleByRprop(options), scale(-1));
}
