import { checkOptions } from '../options.ts';
import { chain, type GradientTransformation } from '../protocol.ts';
import { scale } from '../transforms/scale.ts';
import {
  prodigyRules,
  type ScaleByProdigyOptions,
  type ScaleByProdigyState,
  scaleByProdigy,
} from '../transforms/scaleByProdigy.ts';

/**
 * Prodigy (Mishchenko and Defazio 2024, https://arxiv.org/abs/2306.06101): Adam that finds its learning rate, an estimate d of the
 * distance to the solution that only grows: `w = w - d η √(1 - b2^t)/(1 - b1^t) m/(√v + d eps)`. See {@link scaleByProdigy}.
 * For weight decay, put {@link addDecayedWeights} before it (L2 regularisation).
 *
 * @throws {OptionError} for options that are unknown or out of range.
 * @example
 * const tx = prodigy();
 */
export function prodigy(
  options: ScaleByProdigyOptions = {},
): GradientTransformation<readonly [ScaleByProdigyState, null]> {
  checkOptions('prodigy', options, prodigyRules);
  return chain(scaleByProdigy(options), scale(-1));
}
