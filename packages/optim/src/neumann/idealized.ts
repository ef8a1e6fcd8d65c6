/** The optimizer before Section 3.2's changes: an inner loop of Neumann iterates on one frozen mini-batch. */
import { add, astype, multiply, subtract, type Tensors, zerosLike } from '@neumann/core';
import { checkOptions, fraction, knownInteger, nonNegative, required } from '../options.ts';
import type { Scalar } from '../protocol.ts';
import { beside, zipTrees } from '../trees.ts';

/** ∇f on a mini-batch that stays the same. */
export type GradientFunction<P> = (params: Tensors<P>) => unknown;

/**
 * One outer step of the idealized Neumann optimizer (Algorithm 1 lines 3-6): m₀ = -∇f(w), then K times
 * mₖ = mₖ₋₁ - ∇f(w + ηᵢₙ mₖ₋₁), then w + ηₒᵤₜ m_K.
 *
 * With ηᵢₙ = ηₒᵤₜ this is K + 1 steps of gradient descent on the frozen batch.
 *
 * @param options `inner` is K, the number of inner steps; each is one gradient.
 * @example
 * const loss = (w: Tensor) => sum(square(w));
 * const step = neumannIdealized({ etaIn: 0.25, etaOut: 0.25, inner: 1 });
 * step(grad(loss), tensor([4]));   // [1]: halved twice
 */
export function neumannIdealized(options: {
  readonly etaIn: Scalar;
  readonly etaOut: Scalar;
  readonly inner: number;
}): <P>(gradient: GradientFunction<P>, params: P) => Tensors<P> {
  checkOptions('neumannIdealized', options, {
    etaIn: required(nonNegative),
    etaOut: required(nonNegative),
    inner: required(knownInteger(0)),
  });
  const { etaIn, etaOut, inner } = options;
  return (gradient, params) => {
    const m = iterate('neumannIdealized', gradient, params, { decay: 1, step: 1, reach: etaIn, inner });
    return zipTrees('neumannIdealized', { params }, { m }, (w, d) => add(w, multiply(beside(w, etaOut), d)));
  };
}

/**
 * The convexified Neumann iterate after `inner` steps (Eq. 9, last line, in the variable that contains η):
 * m₀ = -η ∇f(w), mₖ = μ mₖ₋₁ - η ∇f(w + μ mₖ₋₁). It is a direction to add to the weights.
 *
 * Where the gradient is linear it tends to -(1/μ) (H + δI)⁻¹ ∇f(w) with δ = (1 - μ)/(μ η): a damped Newton step. With μ and
 * η of {@link convexify}, δ is |λmin|.
 *
 * @example
 * const saddle = (w: Tensor) => sum(multiply(tensor([1, -0.25]), square(w)));   // eigenvalues 2 and -0.5
 * const { mu, eta } = convexify(-1, 3);
 * convexifiedDirection(grad(saddle), tensor([3, 1]), { mu, eta, inner: 50 });   // [-2.66…, 1.33…]: away from the saddle
 */
export function convexifiedDirection<P>(
  gradient: GradientFunction<P>,
  params: P,
  options: { readonly mu: Scalar; readonly eta: Scalar; readonly inner: number },
): Tensors<P> {
  checkOptions('convexifiedDirection', options, {
    mu: required(fraction),
    eta: required(nonNegative),
    inner: required(knownInteger(0)),
  });
  const { mu, eta, inner } = options;
  return iterate('convexifiedDirection', gradient, params, { decay: mu, step: eta, reach: mu, inner });
}

interface Iteration {
  readonly decay: Scalar;
  readonly step: Scalar;
  /** How many m the gradient is displaced by. */
  readonly reach: Scalar;
  readonly inner: number;
}

/** m ← decay m - step ∇f(w + reach m), from m = 0, `inner + 1` times. */
function iterate<P>(
  op: string,
  gradient: GradientFunction<P>,
  params: P,
  { decay, step, reach, inner }: Iteration,
): Tensors<P> {
  let m = zipTrees(op, { params }, {}, (w) => zerosLike(w));
  for (let k = 0; k <= inner; k++) {
    const at = zipTrees(op, { params }, { m }, (w, d) => add(w, multiply(beside(w, reach), d)));
    m = zipTrees(op, { params }, { m, grads: gradient(at) }, (w, d, g) =>
      subtract(multiply(beside(w, decay), d), multiply(beside(w, step), astype(g, w.dtype))),
    );
  }
  return m;
}
