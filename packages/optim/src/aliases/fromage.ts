import { add, divide, multiply, sqrt, square, subtract, type Tensor } from '@neumann/core';
import { checkOptions, nonNegative, required } from '../options.ts';
import { chain, type GradientTransformation, type Scalar } from '../protocol.ts';
import { addDecayedWeights } from '../transforms/addDecayedWeights.ts';
import { scale } from '../transforms/scale.ts';
import { scaleByTrustRatio } from '../transforms/scaleByTrustRatio.ts';

/** Options of {@link fromage}. */
export interface FromageOptions {
  /** η: how far each tensor moves, as a part of its norm. */
  readonly learningRate: Scalar;
  /** Norms below this count as this; 1e-6. */
  readonly minNorm?: Scalar;
}

/**
 * Fromage (Bernstein et al. 2020, https://arxiv.org/abs/2002.03432): each tensor moves by η of its norm, and is shortened so that
 * it does not grow: `w = (w - η ‖w‖/‖g‖ g) / √(1 + η²)`.
 *
 * @throws {OptionError} for options that are unknown, missing or out of range.
 * @example
 * const tx = fromage({ learningRate: 0.01 });
 */
export function fromage(options: FromageOptions): GradientTransformation<readonly [null, null, null]> {
  checkOptions('fromage', options, { learningRate: required(nonNegative), minNorm: nonNegative });
  const { learningRate, minNorm = 1e-6 } = options;
  const [step, decay] = factors(learningRate);
  return chain(scaleByTrustRatio({ minNorm }), scale(step), addDecayedWeights(decay));
}

/** `-η/√(1 + η²)` and `1/√(1 + η²) - 1` */
function factors(rate: Scalar): readonly [Scalar, Scalar] {
  if (typeof rate === 'number') {
    const shrink = 1 / Math.sqrt(1 + rate * rate);
    return [-rate * shrink, shrink - 1];
  }
  const shrink: Tensor = divide(1, sqrt(add(1, square(rate))));
  return [multiply(-1, multiply(rate, shrink)), subtract(shrink, 1)];
}
