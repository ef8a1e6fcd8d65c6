import {
  add,
  divide,
  equal,
  full,
  greater,
  multiply,
  negative,
  random,
  sqrt,
  square,
  subtract,
  type Tensor,
  type Tensors,
  where,
} from '@neumann/core';
import {
  checkOptions,
  integerFrom,
  keyRule,
  nonNegative,
  positive,
  type RulesOf,
  required,
} from '../options.ts';
import type { Scalar } from '../protocol.ts';
import { scalarOf, zipTrees } from '../trees.ts';
import { expand } from './expand.ts';
import { loop } from './loop.ts';
import { inner, length, type Matvec, unit, vectorSpace } from './vectors.ts';

/** Options of {@link cubicStep} and {@link cubicNewton}. */
export interface CubicStepOptions {
  /** α of α/3 ‖s‖³. */
  readonly alpha: Scalar;
  /** A bound of the eigenvalues' magnitudes, β in the paper. */
  readonly lambdaMax: Scalar;
  /** Iterations at most: each is one product. */
  readonly maxIter: Scalar;
  /** The norm of the model's gradient, relative to ‖g‖ (or absolute if g is 0), to stop at; 1e-5. */
  readonly tolerance?: Scalar;
  /**
   * Adds a random vector of norm `perturbation` to g. Needed where g has no part along the most negative eigenvector, which
   * descent then never finds: at a saddle point.
   */
  readonly key?: Tensor;
  /** 1e-4. */
  readonly perturbation?: Scalar;
}

const rules: RulesOf<CubicStepOptions> = {
  alpha: required(positive),
  lambdaMax: required(positive),
  maxIter: required(integerFrom(1)),
  tolerance: nonNegative,
  key: keyRule,
  perturbation: nonNegative,
};

/** What {@link cubicStep} found. */
export interface CubicStep<T> {
  /** s, in the form of g. */
  readonly x: Tensors<T>;
  /** `i32[]`, iterations made. */
  readonly steps: Tensor;
  /** The norm of the model's gradient g + A s + α ‖s‖ s. */
  readonly residual: Tensor;
}

/**
 * The minimum of gᵀs + ½ sᵀA s + α/3 ‖s‖³, whatever the signs of A's eigenvalues, by gradient descent from the Cauchy point
 * with rate 1/(4(β + αR)), R = β/2α + √((β/2α)² + ‖g‖/α) (Carmon and Duchi 2016, https://arxiv.org/abs/1612.00547, from which
 * the Neumann optimizer has its cubic regulariser).
 *
 * It is the global minimum, where (A + α‖s‖I) s = -g and A + α‖s‖I is positive semidefinite, unless g has no part along the
 * most negative eigenvector: see `key`.
 *
 * @param matvec s ↦ A s, on trees like `gradient`.
 * @throws {OptionError} for options that are unknown, missing or out of range. {TreeError} {ShapeError} naming the leaf where
 *   A s has another form than g.
 * @example
 * const options = { alpha: 1, lambdaMax: 1, maxIter: 200, tolerance: 1e-6 };
 * cubicStep((s: Tensor) => multiply(-1, s), tensor([2]), options).x   // [-2.00]: 2 + s + s |s| = 0 has s = -2, beyond the hill
 */
export function cubicStep<T>(matvec: Matvec<T>, gradient: T, options: CubicStepOptions): CubicStep<T> {
  const op = 'cubicStep';
  checkOptions(op, options, rules);
  const { alpha, lambdaMax, maxIter, tolerance = 1e-5, key, perturbation = 1e-4 } = options;
  const space = vectorSpace(op, 'gradient', gradient);
  const apply = space.map(matvec);
  const of = (x: Scalar) => scalarOf(x, space.dtype);
  const [a, beta] = [of(alpha), of(lambdaMax)];
  const given = space.vector('gradient', gradient);
  const noise = key && unit(random.normal(key, [space.size], { dtype: space.dtype }))[0];
  const g = noise ? add(given, multiply(of(perturbation), noise)) : given;

  const [direction, norm] = unit(g);
  const half = divide(beta, multiply(2, a));
  const radius = add(half, sqrt(add(square(half), divide(norm, a))));
  const rate = divide(1, multiply(4, add(beta, multiply(a, radius))));
  const bend = divide(inner(direction, apply(direction)), multiply(2, a));
  const cauchy = subtract(sqrt(add(square(bend), divide(norm, a))), bend);
  const slopeAt = (s: Tensor) => add(g, add(apply(s), multiply(multiply(a, length(s)), s)));

  const small = multiply(of(tolerance), where(equal(norm, 0), 1, norm));
  const start = multiply(negative(cauchy), direction);
  const end = loop(
    maxIter,
    { s: start, slope: slopeAt(start), steps: full([], 0, 'int32') },
    ({ slope }) => greater(length(slope), small),
    ({ s, slope, steps }) => {
      const next = subtract(s, multiply(rate, slope));
      return { s: next, slope: slopeAt(next), steps: add(steps, 1) };
    },
  );
  return { x: space.tree(end.s), steps: end.steps, residual: length(end.slope) };
}

/**
 * One step of Newton's method with cubic regularisation (Nesterov and Polyak 2006): to the minimum of the second-order model of
 * `f` plus α/3 ‖s‖³, found by {@link cubicStep} with products with the Hessian. If the Hessian is Lipschitz with constant up to
 * 2α, f never grows, and the method ends where the gradient is 0 and no eigenvalue is negative: it leaves saddle points.
 *
 * @throws {OptionError} for options that are unknown, missing or out of range.
 * @example
 * const saddle = (w: Tensor) => add(sum(multiply(tensor([1, -1]), square(w))), sum(square(square(w))));
 * const step = cubicNewton({ alpha: 6, lambdaMax: 10, maxIter: 50, key: random.key(0) });
 * let w: Tensor = tensor([1, 0]);   // descent would end at the saddle, [0, 0]
 * for (let i = 0; i < 8; i++) w = step(saddle, w);   // nearly [0, 0.707] or [0, -0.707]
 */
export function cubicNewton(
  options: CubicStepOptions,
): <P>(f: (params: Tensors<P>) => Tensor, params: P) => Tensors<P> {
  checkOptions('cubicNewton', options, rules);
  return (f, params) => {
    const { gradient, hessian } = expand(f, params);
    const { x } = cubicStep(hessian, gradient as typeof params, options);
    return zipTrees('cubicNewton', { params }, { step: x }, (w, s) => add(w, s));
  };
}
