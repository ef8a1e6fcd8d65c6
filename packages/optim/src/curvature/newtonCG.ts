import {
  add,
  equal,
  full,
  lessEqual,
  logicalAnd,
  logicalNot,
  minimum,
  multiply,
  negative,
  sqrt,
  type Tensor,
  type Tensors,
  where,
} from '@neumann/core';
import { checkOptions, integerFrom, nonNegative, required } from '../options.ts';
import type { Scalar } from '../protocol.ts';
import { beside, zipTrees } from '../trees.ts';
import { conjugateGradient } from './conjugateGradient.ts';
import { expand } from './expand.ts';
import { loop } from './loop.ts';
import { inner, length, vectorSpace } from './vectors.ts';

/** Options of {@link newtonCG}. */
export interface NewtonCGOptions {
  /** Products with the Hessian at most. */
  readonly maxIter: Scalar;
  /** λ: steps with H + λ I; 0. */
  readonly damping?: Scalar;
  /** The relative residual of the linear system; min(½, √‖∇f‖) by default, with which the method converges superlinearly. */
  readonly tolerance?: Scalar;
  /** Halvings of the step at most, until f falls enough; 20. With 0 the whole step is taken whatever it does. */
  readonly maxHalvings?: Scalar;
}

/** What a step of {@link newtonCG} did. */
export interface NewtonCGStep<P> {
  readonly params: Tensors<P>;
  /** f before the step. */
  readonly value: Tensor;
  /** ‖∇f‖ before the step. */
  readonly gradientNorm: Tensor;
  /** `i32[]`, products with the Hessian. */
  readonly products: Tensor;
  /** `bool[]`: whether curvature that is not positive was met. */
  readonly negativeCurvature: Tensor;
  /** How much of the direction was taken: 1, ½, ¼, …; 0 if none of them lowered f. */
  readonly rate: Tensor;
}

/**
 * One step of the Newton method with conjugate gradients, also called Hessian-free: solves (H + λI) d = -∇f by
 * {@link conjugateGradient}, stops at curvature that is not positive, and halves d until f(w + r d) ≤ f(w) + 10⁻⁴ r ∇fᵀd
 * (Nocedal and Wright, Numerical Optimization, Algorithm 7.1; Martens 2010).
 *
 * A product with the Hessian costs about two gradients. On mini-batches f, and so its Hessian, should be of one batch for the
 * whole step, and a large one.
 *
 * @throws {OptionError} for options that are unknown, missing or out of range.
 * @example
 * const rosenbrock = ({ x, y }: { x: Tensor; y: Tensor }) =>
 *   add(square(subtract(1, x)), multiply(100, square(subtract(y, square(x)))));
 * const step = newtonCG({ maxIter: 10, tolerance: 0.01 });
 * let w = { x: tensor(-1.2), y: tensor(1) };
 * for (let i = 0; i < 30; i++) w = step(rosenbrock, w).params;   // x and y are nearly 1
 */
export function newtonCG(
  options: NewtonCGOptions,
): <P>(f: (params: Tensors<P>) => Tensor, params: P) => NewtonCGStep<P> {
  const op = 'newtonCG';
  checkOptions(op, options, {
    maxIter: required(integerFrom(1)),
    damping: nonNegative,
    tolerance: nonNegative,
    maxHalvings: integerFrom(0),
  });
  const { maxIter, damping = 0, tolerance, maxHalvings = 20 } = options;
  return (f, params) => {
    const { value, gradient, hessian } = expand(f, params);
    const space = vectorSpace(op, 'params', params);
    const g = space.vector('gradient', gradient);
    const gradientNorm = length(g);
    const solved = conjugateGradient(hessian, space.tree(negative(g)) as typeof params, {
      maxIter,
      damping,
      tolerance: tolerance ?? minimum(0.5, sqrt(gradientNorm)),
    });
    // Where the first direction already is one of negative curvature, x is still 0, and the gradient is what is known.
    const stuck = logicalAnd(solved.negativeCurvature, equal(solved.steps, 1));
    const d = where(stuck, negative(g), space.vector('direction', solved.x));
    const slope = inner(g, d);
    const at = (rate: Tensor) =>
      zipTrees(op, { params }, { d: space.tree(d) }, (w, u) => add(w, multiply(beside(w, rate), u)));
    const falls = (rate: Tensor) => lessEqual(f(at(rate)), add(value, multiply(1e-4, multiply(rate, slope))));
    const first = full([], 1, space.dtype);
    const rate = maxHalvings === 0 ? first : search(maxHalvings, first, falls);
    return {
      params: at(rate),
      value,
      gradientNorm,
      products: solved.steps,
      negativeCurvature: solved.negativeCurvature,
      rate,
    };
  };
}

/** The first of 1, ½, ¼, … for which `falls` holds, and 0 if none of them does. */
function search(maxHalvings: Scalar, first: Tensor, falls: (rate: Tensor) => Tensor): Tensor {
  const { rate, found } = loop(
    maxHalvings,
    { rate: first, found: falls(first) },
    (s) => logicalNot(s.found),
    (s) => {
      const half = multiply(0.5, s.rate);
      return { rate: half, found: falls(half) };
    },
  );
  return where(found, rate, 0);
}
