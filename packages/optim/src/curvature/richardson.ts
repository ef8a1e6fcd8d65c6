import { add, multiply, subtract } from '@neumann/core';
import { checkOptions, positive, required } from '../options.ts';
import type { Scalar } from '../protocol.ts';
import { scalarOf } from '../trees.ts';
import { loop } from './loop.ts';
import { type Solution, type SystemOptions, systemOf, systemRules } from './system.ts';
import type { Matvec } from './vectors.ts';

/** Options of {@link richardson}. */
export interface RichardsonOptions<T> extends SystemOptions<T> {
  /** ω. 2/(λmin + λmax) is best, and below 2/λmax it converges. */
  readonly step: Scalar;
}

/**
 * Richardson's iteration for A x = b with A symmetric and positive definite: x ← x + ω (b - A x). It is gradient descent with
 * rate ω on ½ xᵀA x - bᵀx (Section 2.1 of https://arxiv.org/abs/1712.03298), and with ω = 1 from 0 the Neumann series.
 *
 * The error is multiplied by I - ω A in each step: with the best ω by (κ - 1)/(κ + 1), where κ = λmax/λmin. {@link chebyshev}
 * knows as much of A and needs about √κ steps where this needs κ.
 *
 * @param matvec x ↦ A x, on trees like `b`.
 * @throws {OptionError} for options that are unknown, missing or out of range. {TreeError} {ShapeError} naming the leaf where
 *   A x has another form than b.
 * @example
 * const a = tensor([1, 4]);
 * richardson((x: Tensor) => multiply(a, x), tensor([1, 1]), { step: 0.4, maxIter: 50 }).x   // [1.000, 0.250]
 */
export function richardson<T>(matvec: Matvec<T>, b: T, options: RichardsonOptions<T>): Solution<T> {
  checkOptions('richardson', options, { step: required(positive), ...systemRules });
  const { space, apply, start, unsolved, solution } = systemOf('richardson', matvec, b, options);
  const omega = scalarOf(options.step, space.dtype);
  const { x, r, steps } = loop(
    options.maxIter,
    start,
    (s) => unsolved(s.r),
    (s) => {
      const change = multiply(omega, s.r);
      return { x: add(s.x, change), r: subtract(s.r, apply(change)), steps: add(s.steps, 1) };
    },
  );
  return solution(x, r, steps);
}
