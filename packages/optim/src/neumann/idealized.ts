/** The optimizer before Section 3.2's changes: an inner loop of Neumann iterates about weights that stay. */
import {
  add,
  astype,
  type Leaves,
  linearize,
  multiply,
  subtract,
  type Tensors,
  zerosLike,
} from '@neumann/core';
import {
  checkOptions,
  fraction,
  knownInteger,
  nonNegative,
  oneOf,
  type RulesOf,
  required,
} from '../options.ts';
import type { Scalar } from '../protocol.ts';
import { beside, tensorsOf, zipTrees } from '../trees.ts';

/**
 * ∇f on a mini-batch: the same in every call (Algorithm 1), or, with `batches: 'fresh'`, that of inner step k = 0, …, K.
 */
export type GradientFunction<P> = (params: Tensors<P>, k: number) => unknown;

/** What an inner loop does. */
export interface InnerLoopOptions {
  /** K, the number of inner steps. Each is one gradient, or one product with the Hessian, beside the first gradient. */
  readonly inner: number;
  /**
   * How the Hessian acts on m. `'displaced'` (default, the paper's observation before Eq. 7): ∇f(w + c m) for
   * ∇f(w) + c ∇²f(w) m, without any product. `'exact'`: that product, from the derivative of `gradient` (Eq. 4 itself).
   */
  readonly hessian?: 'displaced' | 'exact';
  /**
   * Whether the inner steps share one mini-batch, `'frozen'` (default, Algorithm 1), or `gradient` is told their number to take
   * another each time, `'fresh'` (Section 3.2: a stochastic inner loop).
   */
  readonly batches?: 'frozen' | 'fresh';
}

/** Options of {@link neumannIdealized}. */
export interface NeumannIdealizedOptions extends InnerLoopOptions {
  /** ηᵢₙ, below 1/λmax. */
  readonly etaIn: Scalar;
  /** ηₒᵤₜ. */
  readonly etaOut: Scalar;
}

/** Options of {@link convexifiedDirection}. */
export interface ConvexifiedDirectionOptions extends InnerLoopOptions {
  /** μ, from 0 to 1; 1 is Eq. 7. */
  readonly mu: Scalar;
  /** η. */
  readonly eta: Scalar;
}

const innerRules: RulesOf<InnerLoopOptions> = {
  inner: required(knownInteger(0)),
  hessian: oneOf('displaced', 'exact'),
  batches: oneOf('frozen', 'fresh'),
};

/**
 * One outer step of the idealized Neumann optimizer (Algorithm 1 lines 3-6 of https://arxiv.org/abs/1712.03298):
 * m₀ = -∇f(w), then K times mₖ = mₖ₋₁ - ∇f(w + ηᵢₙ mₖ₋₁), then w + ηₒᵤₜ m_K.
 *
 * On a frozen batch this is lookahead around gradient descent, whatever the loss: K + 1 steps of rate ηᵢₙ, of which the part
 * ηₒᵤₜ/ηᵢₙ is taken; so with ηᵢₙ = ηₒᵤₜ it is K + 1 steps of gradient descent. Where the Hessian H is constant,
 * m_K = -(ηᵢₙ H)⁻¹ (I - (I - ηᵢₙ H)ᴷ⁺¹) ∇f(w), which tends to a Newton step divided by ηᵢₙ.
 *
 * @throws {OptionError} for options that are unknown, missing or out of range. {TreeError} {ShapeError} naming the leaf where
 *   the gradient has another form than the weights.
 * @example
 * const loss = (w: Tensor) => sum(square(w));
 * const step = neumannIdealized({ etaIn: 0.25, etaOut: 0.25, inner: 1 });
 * step(grad(loss), tensor([4]));   // [1]: halved twice
 */
export function neumannIdealized(
  options: NeumannIdealizedOptions,
): <P>(gradient: GradientFunction<P>, params: P) => Tensors<P> {
  const op = 'neumannIdealized';
  checkOptions(op, options, {
    etaIn: required(nonNegative),
    etaOut: required(nonNegative),
    ...innerRules,
  });
  const { etaIn, etaOut } = options;
  return (gradient, params) => {
    const m = iterate(op, gradient, params, { decay: 1, step: 1, reach: etaIn, ...options });
    return zipTrees(op, { params }, { m }, (w, d) => add(w, multiply(beside(w, etaOut), d)));
  };
}

/**
 * The convexified Neumann iterate after `inner` steps (Eq. 9, last line, in the variable that contains η):
 * m₀ = -η ∇f(w), mₖ = μ mₖ₋₁ - η ∇f(w + μ mₖ₋₁). It is a direction to add to the weights.
 *
 * Where the gradient is linear it tends to -(1/μ) (H + δI)⁻¹ ∇f(w) with δ = (1 - μ)/(μ η): a damped Newton step. With μ and
 * η of {@link convexify}, δ is |λmin|.
 *
 * @throws {OptionError} for options that are unknown, missing or out of range.
 * @example
 * const saddle = (w: Tensor) => sum(multiply(tensor([1, -0.25]), square(w)));   // eigenvalues 2 and -0.5
 * const { mu, eta } = convexify(-1, 3);
 * convexifiedDirection(grad(saddle), tensor([3, 1]), { mu, eta, inner: 50 });   // [-2.66…, 1.33…]: away from the saddle
 */
export function convexifiedDirection<P>(
  gradient: GradientFunction<P>,
  params: P,
  options: ConvexifiedDirectionOptions,
): Tensors<P> {
  checkOptions('convexifiedDirection', options, {
    mu: required(fraction),
    eta: required(nonNegative),
    ...innerRules,
  });
  const { mu, eta } = options;
  return iterate('convexifiedDirection', gradient, params, { decay: mu, step: eta, reach: mu, ...options });
}

interface Iteration extends InnerLoopOptions {
  readonly decay: Scalar;
  readonly step: Scalar;
  /** How many m the gradient is displaced by. */
  readonly reach: Scalar;
}

/** m ← decay m - step ∇f(w + reach m), from m = 0, `inner + 1` times. */
function iterate<P>(
  op: string,
  gradient: GradientFunction<P>,
  params: P,
  { decay, step, reach, inner, hessian = 'displaced', batches = 'frozen' }: Iteration,
): Tensors<P> {
  const gradientAt = hessian === 'exact' ? linearised : displaced;
  let m = zipTrees(op, { params }, {}, (w) => zerosLike(w));
  let at = gradientAt(0);
  for (let k = 0; k <= inner; k++) {
    if (k > 0 && batches === 'fresh') at = gradientAt(k);
    const grads = at(zipTrees(op, { params }, { m }, (w, d) => multiply(beside(w, reach), d)));
    m = zipTrees(op, { params }, { m, grads }, (w, d, g) =>
      subtract(multiply(beside(w, decay), d), multiply(beside(w, step), astype(g, w.dtype))),
    );
  }
  return m;

  /** ∇f(w + d), as a function of d. */
  function displaced(k: number): (d: Tensors<P>) => unknown {
    return (d) =>
      gradient(
        zipTrees(op, { params }, { d }, (w, x) => add(w, x)),
        k,
      );
  }

  /** ∇f(w) + ∇²f(w) d, as a function of d. */
  function linearised(k: number): (d: Tensors<P>) => unknown {
    const [g, product] = linearize(
      (w: Tensors<P>) => gradient(w, k) as Tensors<P>,
      tensorsOf(params) as Leaves<Tensors<P>>,
    );
    return (d) => zipTrees(op, { g }, { d: product(d as Leaves<Tensors<P>>) }, (x, y) => add(x, y));
  }
}
