import { abs, add, full, greater, multiply, subtract, type Tensor, type Tensors } from '@neumann/core';
import { checkOptions, finite, integerFrom, nonNegative, required } from '../options.ts';
import type { Scalar } from '../protocol.ts';
import { scalarOf } from '../trees.ts';
import { loop } from './loop.ts';
import { inner, length, type Matvec, unit, vectorSpace } from './vectors.ts';

/** Options of {@link powerIteration}. */
export interface PowerIterationOptions {
  /** Iterations at most: each is one product. */
  readonly maxIter: Scalar;
  /** ‖A q - λ q‖ ≤ tolerance |λ - shift| ends the iteration; 1e-5. */
  readonly tolerance?: Scalar;
  /** Iterates A - shift I, whose largest eigenvalue in magnitude is that of A farthest from `shift`; 0. */
  readonly shift?: Scalar;
}

/** What {@link powerIteration} found. */
export interface Eigenpair<T> {
  /** λ, the Rayleigh quotient qᵀA q: no further from an eigenvalue of A than `residual`. */
  readonly value: Tensor;
  /** q, of norm 1, in the form of the start. */
  readonly vector: Tensors<T>;
  /** ‖A q - λ q‖ */
  readonly residual: Tensor;
  /** `i32[]`, iterations made. */
  readonly steps: Tensor;
}

/**
 * The eigenvalue of a symmetric A that is largest in magnitude, and its eigenvector, by q ← A q/‖A q‖.
 *
 * The angle to the eigenvector falls by |λ₂/λ₁| a step. With `shift: λmax` it finds λmin (the shift of Appendix A of
 * https://arxiv.org/abs/1712.03298). {@link lanczos} takes as many products and finds both ends, much more precisely.
 *
 * @param matvec x ↦ A x, on trees like `start`.
 * @param start Any vector with a part along the eigenvector; a random one has.
 * @throws {OptionError} for options that are unknown, missing or out of range. {TreeError} {ShapeError} naming the leaf where
 *   A x has another form.
 * @example
 * const a = tensor([3, -1, 0.5]);
 * powerIteration((x: Tensor) => multiply(a, x), ones([3]), { maxIter: 50 }).value                // 3.0000
 * powerIteration((x: Tensor) => multiply(a, x), ones([3]), { maxIter: 50, shift: 3 }).value      // -1.000
 */
export function powerIteration<T>(matvec: Matvec<T>, start: T, options: PowerIterationOptions): Eigenpair<T> {
  const op = 'powerIteration';
  checkOptions(op, options, {
    maxIter: required(integerFrom(1)),
    tolerance: nonNegative,
    shift: finite,
  });
  const { maxIter, tolerance = 1e-5, shift = 0 } = options;
  const space = vectorSpace(op, 'start', start);
  const [sigma, small] = [scalarOf(shift, space.dtype), scalarOf(tolerance, space.dtype)];
  const apply = space.map(matvec);
  const product = (q: Tensor) => subtract(apply(q), multiply(sigma, q));
  const pair = (q: Tensor) => {
    const aq = product(q);
    const value = inner(q, aq);
    return { q, aq, value, residual: length(subtract(aq, multiply(value, q))) };
  };
  const end = loop(
    subtract(scalarOf(maxIter, 'int32'), 1), // the first pair is a product too
    { ...pair(unit(space.vector('start', start))[0]), steps: full([], 1, 'int32') },
    (s) => greater(s.residual, multiply(small, abs(s.value))),
    (s) => ({ ...pair(unit(s.aq)[0]), steps: add(s.steps, 1) }),
  );
  return {
    value: add(end.value, sigma),
    vector: space.tree(end.q),
    residual: end.residual,
    steps: end.steps,
  };
}
