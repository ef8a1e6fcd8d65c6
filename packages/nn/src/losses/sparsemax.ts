import {
  arange,
  cumsum,
  divide,
  greater,
  maximum,
  multiply,
  sort,
  square,
  subtract,
  sum,
  type Tensor,
  where,
} from '@neumann/core';
import { checkRows } from './pairs.ts';

/**
 * The nearest distribution to each row, which may have zeros (Martins and Astudillo 2016, https://arxiv.org/abs/1602.02068).
 *
 * @param scores `[..., K]`
 * @returns `[..., K]`
 * @throws {ShapeError} {DTypeError} for a scalar or integers.
 * @example sparsemax(tensor([2, 1.5, 0]))   // [0.75, 0.25, 0]
 */
export function sparsemax(scores: Tensor): Tensor {
  checkRows('sparsemax', 'scores', scores, 'scores', scores);
  const descending = sort(scores, { descending: true });
  const excess = subtract(cumsum(descending, { axis: -1 }), 1); // of the k greatest
  const ranks = arange(1, (scores.shape.at(-1) as number) + 1, 1, scores.dtype);
  const isKept = greater(multiply(descending, ranks), excess); // the first k, for some k
  const kept = sum(where(isKept, 1, multiply(0, scores)), { axis: -1, keepdims: true });
  const total = sum(where(isKept, descending, 0), { axis: -1, keepdims: true });
  return maximum(subtract(scores, divide(subtract(total, 1), kept)), 0);
}

/**
 * The loss whose gradient is `sparsemax(scores) - target` (Martins and Astudillo 2016, https://arxiv.org/abs/1602.02068):
 * `½ ‖t - s‖² - ½ ‖p - s‖²` with `p = sparsemax(s)`; 0 where p is the target.
 *
 * @param scores `[..., K]`
 * @param targets `[..., K]`, distributions.
 * @returns `[...]`
 * @throws {ShapeError} {DTypeError} unless both are floats of one shape.
 * @example sparsemaxLoss(tensor([2, 0]), tensor([1, 0]))   // 0
 */
export function sparsemaxLoss(scores: Tensor, targets: Tensor): Tensor {
  checkRows('sparsemaxLoss', 'scores', scores, 'targets', targets);
  const distance = (x: Tensor) => multiply(0.5, sum(square(subtract(x, scores)), { axis: -1 }));
  return subtract(distance(targets), distance(sparsemax(scores)));
}
