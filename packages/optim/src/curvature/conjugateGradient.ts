import {
  add,
  divide,
  equal,
  full,
  lessEqual,
  logicalAnd,
  logicalNot,
  multiply,
  subtract,
  type Tensor,
  type Tensors,
  where,
} from '@neumann/core';
import { checkOptions, nonNegative } from '../options.ts';
import type { Scalar } from '../protocol.ts';
import { beside, zipTrees } from '../trees.ts';
import { loop } from './loop.ts';
import { type Solution, type SystemOptions, systemOf, systemRules } from './system.ts';
import { inner, type Matvec } from './vectors.ts';

/** Options of {@link conjugateGradient}. */
export interface ConjugateGradientOptions<T> extends SystemOptions<T> {
  /** λ: solves (A + λ I) x = b; 0. */
  readonly damping?: Scalar;
}

/** What {@link conjugateGradient} came to. */
export interface ConjugateGradientSolution<T> extends Solution<T> {
  /** `bool[]`: whether it stopped at a direction p with pᵀ(A + λ I) p ≤ 0, before going along it. */
  readonly negativeCurvature: Tensor;
  /** The last direction p, in the form of b: that one, if there was one. */
  readonly direction: Tensors<T>;
}

/**
 * Conjugate gradients for (A + λ I) x = b, with A symmetric: after k products x is the minimum of ½ xᵀ(A + λ I) x - bᵀx over
 * the Krylov space of b, Ab, …, Aᵏ⁻¹b, so no method with as many products has a smaller error in that norm (Hestenes and
 * Stiefel 1952; Appendix A of https://arxiv.org/abs/1712.03298 has it as the alternative to the Neumann series).
 *
 * If A + λ I is not positive definite it stops at the first direction whose curvature is not positive, where a step would have
 * no end, and says so. What x is by then still descends (Steihaug 1983): {@link newtonCG} uses that.
 *
 * @param matvec x ↦ A x, on trees like `b`.
 * @throws {OptionError} for options that are unknown, missing or out of range. {TreeError} {ShapeError} naming the leaf where
 *   A x has another form than b.
 * @example
 * const a = tensor([1, 4]);
 * conjugateGradient((x: Tensor) => multiply(a, x), tensor([1, 1]), { maxIter: 2 }).x   // [1.000, 0.250]
 */
export function conjugateGradient<T>(
  matvec: Matvec<T>,
  b: T,
  options: ConjugateGradientOptions<T>,
): ConjugateGradientSolution<T> {
  const op = 'conjugateGradient';
  checkOptions(op, options, { damping: nonNegative, ...systemRules });
  const lambda = options.damping;
  const damped: Matvec<T> =
    lambda === undefined
      ? matvec
      : (x) =>
          zipTrees(op, { x }, { 'matvec(x)': matvec(x) }, (u, au) => add(au, multiply(beside(u, lambda), u)));
  const { space, apply, start, unsolved, solution } = systemOf(op, damped, b, options);
  const end = loop(
    options.maxIter,
    { ...start, p: start.r, rr: inner(start.r, start.r), negative: full([], false) },
    (s) => logicalAnd(unsolved(s.r), logicalNot(s.negative)),
    (s) => {
      const ap = apply(s.p);
      const curvature = inner(s.p, ap);
      const negative = lessEqual(curvature, 0);
      const alpha = where(negative, 0, divide(s.rr, where(equal(curvature, 0), 1, curvature)));
      const r = subtract(s.r, multiply(alpha, ap));
      const rr = inner(r, r);
      const p = where(negative, s.p, add(r, multiply(divide(rr, s.rr), s.p)));
      return { x: add(s.x, multiply(alpha, s.p)), r, p, rr, negative, steps: add(s.steps, 1) };
    },
  );
  return {
    ...solution(end.x, end.r, end.steps),
    negativeCurvature: end.negative,
    direction: space.tree(end.p),
  };
}
