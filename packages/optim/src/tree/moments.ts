import { astype, power, type Tensor, type Tensors } from '@neumann/core';
import type { Scalar } from '../protocol.ts';
import { movingAverage } from '../transforms/movingAverage.ts';
import { debiased, weightSum } from '../transforms/weightSum.ts';
import { zipTrees } from '../trees.ts';

/**
 * `decay * moments + (1 - decay) * updates^order`.
 *
 * @throws {TreeError} {ShapeError} naming the leaf where the trees differ.
 * @example tree.updateMoment(tensor([2]), tensor([0]), 0.9, 2)   // [0.4]
 */
export function updateMoment<M extends object>(
  updates: unknown,
  moments: M,
  decay: Scalar,
  order: number,
): M {
  const powerOf = (u: Tensor) => (order === 1 ? u : power(u, order));
  return movingAverage('tree.updateMoment', moments, updates, decay, powerOf) as M;
}

/**
 * A moving average that started at zero, corrected for that: `moment / (1 - decay^count)`.
 *
 * @param count Updates made: an integer scalar of at least 1.
 * @example tree.biasCorrection(tensor([0.4]), 0.9, tensor(1, 'int32'))   // [4]
 */
export function biasCorrection<M>(moment: M, decay: Scalar, count: Tensor): Tensors<M> {
  return zipTrees('tree.biasCorrection', { moment }, {}, (m) =>
    debiased(m, weightSum(decay, astype(count, m.dtype))),
  );
}
