import { grad, jvp, type Tensor, type Tensors } from '@neumann/core';
import { pushForward } from './expand.ts';

/**
 * The product of the Gauss–Newton matrix with a vector: Jᵀ H J v, where J is the Jacobian of `model` and H the Hessian of
 * `loss` at its output. It is the Hessian of loss ∘ model without the curvature of the model, positive semidefinite if the
 * loss is convex, and equal to the Hessian where the model is linear or the loss has its minimum. For losses that are a
 * negative log-likelihood in its natural parameters (squares, softmax cross-entropy) it is the Fisher information
 * (Martens 2014, https://arxiv.org/abs/1412.1193; Schraudolph 2002).
 *
 * Costs about as much as a gradient and a half; no matrix is formed.
 *
 * @param model params ↦ outputs, a tree.
 * @param loss outputs ↦ scalar.
 * @param v A tree like `params`.
 * @returns A tree like `params`.
 * @throws {TreeError} {ShapeError} if v is of another form than the parameters.
 * @example
 * const x = tensor([[1, 2], [3, 4]]);
 * const model = (w: Tensor) => matmul(x, w);
 * const loss = (y: Tensor) => multiply(0.5, sum(square(y)));
 * gnvp(model, loss, tensor([1, 1]), tensor([1, 0]))   // XᵀX v: [10, 14]
 */
export function gnvp<P, Y>(
  model: (params: Tensors<P>) => Y,
  loss: (outputs: Tensors<Y>) => Tensor,
  params: P,
  v: P,
): Tensors<P> {
  const { outputs, jv, pullBack } = pushForward('gnvp', model, params, v);
  const [, hjv] = jvp(grad(loss) as (y: Tensors<Y>) => Tensors<Y>, [outputs] as never, [jv] as never);
  return pullBack(hjv as Tensors<Y>);
}
