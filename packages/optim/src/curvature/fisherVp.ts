import { divide, ShapeError, type Tensor, type Tensors } from '@neumann/core';
import { pushForward } from './expand.ts';

/**
 * The product of a Fisher matrix with a vector: (1/N) Σ gᵢ gᵢᵀ v = (1/N) Jᵀ J v, where gᵢ is the gradient of the
 * log-likelihood of example i, and J the Jacobian of all N.
 *
 * With labels of the data this is the empirical Fisher matrix, whose meaning as curvature is limited (Kunstner et al. 2019,
 * https://arxiv.org/abs/1905.12558). With labels that were drawn from the model's own distribution it is an unbiased estimate
 * of the Fisher information, the metric of the natural gradient. Where outputs are natural parameters {@link gnvp} gives that
 * exactly.
 *
 * @param logLikelihoods params ↦ `[N]`, one for each example. Their sign does not matter.
 * @param v A tree like `params`.
 * @returns A tree like `params`.
 * @throws {ShapeError} unless the log-likelihoods are a vector.
 * @example
 * const x = tensor([[1, 2], [3, 4]]);
 * fisherVp((w: Tensor) => matmul(x, w), tensor([1, 1]), tensor([1, 0]))   // XᵀX v / 2: [5, 7]
 */
export function fisherVp<P>(logLikelihoods: (params: Tensors<P>) => Tensor, params: P, v: P): Tensors<P> {
  const { outputs, jv, pullBack } = pushForward('fisherVp', logLikelihoods, params, v);
  if (outputs.ndim !== 1)
    throw new ShapeError(
      `fisherVp: logLikelihoods must return one number for each example, [N], but returned [${outputs.shape}]; ` +
        `do not sum over the examples.`,
    );
  return pullBack(divide(jv, outputs.size));
}
