import { add, divide, maximum, negative, Tensor } from '@neumann/core';
import { checkValue, finite, positive } from '../options.ts';
import type { Scalar } from '../protocol.ts';

/** μ and η for which Eq. 9 converges. */
export interface Convexified<T> {
  readonly mu: T;
  readonly eta: T;
}

/**
 * μ = λmax / (|λmin| + λmax) and η = 1/λmax (Section 3.1 of https://arxiv.org/abs/1712.03298): then
 * (1 - μ) I + μ η H is positive definite with eigenvalues below 1 for a Hessian H with eigenvalues in (λmin, λmax).
 *
 * The formula presumes λmin ≤ 0; a λmin above 0 counts as 0, so that μ = 1, which is Eq. 7.
 *
 * @throws {OptionError} unless `lambdaMax` is above 0, as far as it is known now.
 * @example
 * convexify(-0.6, 4.2)   // { mu: 0.875, eta: 0.238… }
 */
export function convexify(lambdaMin: number, lambdaMax: number): Convexified<number>;
export function convexify(lambdaMin: Scalar, lambdaMax: Scalar): Convexified<Tensor>;
export function convexify(lambdaMin: Scalar, lambdaMax: Scalar): Convexified<Scalar> {
  checkValue('convexify', 'lambdaMin', lambdaMin, finite);
  checkValue('convexify', 'lambdaMax', lambdaMax, positive);
  if (typeof lambdaMin === 'number' && typeof lambdaMax === 'number')
    return { mu: lambdaMax / (Math.max(0, -lambdaMin) + lambdaMax), eta: 1 / lambdaMax };
  const negativePart = maximum(0, lambdaMin instanceof Tensor ? negative(lambdaMin) : -lambdaMin);
  return { mu: divide(lambdaMax, add(negativePart, lambdaMax)), eta: divide(1, lambdaMax) };
}
