import { add, divide, multiply, OptionError, subtract } from '@neumann/core';
import { checkOptions, positive, required } from '../options.ts';
import type { Scalar } from '../protocol.ts';
import { scalarOf } from '../trees.ts';
import { loop } from './loop.ts';
import { type Solution, type SystemOptions, systemOf, systemRules } from './system.ts';
import type { Matvec } from './vectors.ts';

/** Options of {@link chebyshev}. */
export interface ChebyshevOptions<T> extends SystemOptions<T> {
  /** A lower bound of the eigenvalues of A, above 0. */
  readonly lambdaMin: Scalar;
  /** An upper bound of them. */
  readonly lambdaMax: Scalar;
}

/**
 * Chebyshev's iteration for A x = b with A symmetric and its eigenvalues in [λmin, λmax], 0 < λmin: after k products with A
 * the error is the polynomial of degree k that is 1 at 0 and smallest on the interval, times the first error.
 *
 *     x ← x + d,  d ← ρ' ρ d + 2/(2θ - δρ) r,  ρ' = δ/(2θ - δρ)     with θ, δ = (λmax ± λmin)/2, r = b - A x
 *
 * ‖error‖ ≤ 2 ((√κ - 1)/(√κ + 1))ᵏ ‖first error‖ with κ = λmax/λmin (Saad, Iterative Methods for Sparse Linear Systems,
 * Algorithm 12.1). Unlike {@link conjugateGradient} it needs no inner products, but bounds. Below λmin it converges slower;
 * eigenvalues above λmax or below 0 make it diverge.
 *
 * @param matvec x ↦ A x, on trees like `b`.
 * @throws {OptionError} for options that are unknown, missing or out of range. {TreeError} {ShapeError} naming the leaf where
 *   A x has another form than b.
 * @example
 * const a = tensor([1, 4]);
 * const options = { lambdaMin: 1, lambdaMax: 4, maxIter: 20 };
 * chebyshev((x: Tensor) => multiply(a, x), tensor([1, 1]), options).x   // [1.000, 0.250]
 */
export function chebyshev<T>(matvec: Matvec<T>, b: T, options: ChebyshevOptions<T>): Solution<T> {
  const op = 'chebyshev';
  checkOptions(op, options, { lambdaMin: required(positive), lambdaMax: required(positive), ...systemRules });
  const { lambdaMin, lambdaMax } = options;
  if (typeof lambdaMin === 'number' && typeof lambdaMax === 'number' && lambdaMin > lambdaMax)
    throw new OptionError(
      `${op}: lambdaMin must not be above lambdaMax, but is ${lambdaMin} > ${lambdaMax}.`,
    );
  const { space, apply, start, unsolved, solution } = systemOf(op, matvec, b, options);
  const [low, high] = [scalarOf(lambdaMin, space.dtype), scalarOf(lambdaMax, space.dtype)];
  const [twoTheta, delta] = [add(high, low), divide(subtract(high, low), 2)];
  const { x, r, steps } = loop(
    options.maxIter,
    // d = r/θ and ρ = δ/θ.
    { ...start, d: divide(multiply(2, start.r), twoTheta), rho: divide(multiply(2, delta), twoTheta) },
    (s) => unsolved(s.r),
    (s) => {
      const rest = subtract(s.r, apply(s.d));
      const factor = divide(1, subtract(twoTheta, multiply(delta, s.rho)));
      const rho = multiply(delta, factor);
      const d = add(multiply(multiply(rho, s.rho), s.d), multiply(multiply(2, factor), rest));
      return { x: add(s.x, s.d), r: rest, d, rho, steps: add(s.steps, 1) };
    },
  );
  return solution(x, r, steps);
}
