/** Losses of embeddings. */
import {
  add,
  divide,
  equal,
  expandDims,
  eye,
  logAddExp,
  logicalAnd,
  logicalNot,
  logSumExp,
  matmul,
  maximum,
  multiply,
  OptionError,
  ShapeError,
  showAval,
  sqrt,
  square,
  subtract,
  sum,
  type Tensor,
  transpose,
  where,
} from '@neumann/core';
import { checkOptions } from '@neumann/core/extend';
import { checkTensors } from '../options.ts';
import { checkRows } from './pairs.ts';

/** Options of {@link tripletMarginLoss}. */
export interface TripletOptions {
  /** How much nearer the positive must be; 1. */
  readonly margin?: number;
  /** Added under the root; 1e-6. */
  readonly eps?: number;
}

/**
 * `max(0, ‖anchor - positive‖ - ‖anchor - negative‖ + margin)` for each row (Schroff, Kalenichenko and Philbin 2015,
 * https://arxiv.org/abs/1503.03832).
 *
 * @param anchors `[..., K]`, and so `positives` and `negatives`.
 * @returns `[...]`
 * @throws {ShapeError} {DTypeError} unless all are floats of one shape.
 * @example tripletMarginLoss(tensor([0, 0]), tensor([1, 0]), tensor([0, 1]), { eps: 0 })   // 1
 */
export function tripletMarginLoss(
  anchors: Tensor,
  positives: Tensor,
  negatives: Tensor,
  options: TripletOptions = {},
): Tensor {
  checkOptions('tripletMarginLoss', options, ['margin', 'eps']);
  const op = 'tripletMarginLoss';
  checkRows(op, 'anchors', anchors, 'positives', positives);
  checkRows(op, 'anchors', anchors, 'negatives', negatives);
  const { margin = 1, eps = 1e-6 } = options;
  const distance = (x: Tensor) => sqrt(add(sum(square(subtract(anchors, x)), { axis: -1 }), eps));
  return maximum(0, add(subtract(distance(positives), distance(negatives)), margin));
}

/**
 * The contrastive loss of SimCLR (Chen et al. 2020, https://arxiv.org/abs/2002.05709): each embedding must be told from all
 * others as near to those with its label. With cosines s over the temperature, and rows i, j of one label,
 * `-log(exp(sᵢⱼ) / (exp(sᵢⱼ) + Σ over rows k of other labels exp(sᵢₖ)))`, averaged over all such pairs.
 *
 * @param embeddings `[N, D]`
 * @param labels integers `[N]`.
 * @param options.temperature 0.07 by default.
 * @returns scalar; NaN if no two rows have one label.
 * @throws {ShapeError} {DTypeError} {OptionError}
 * @example
 * const embeddings = tensor([[1, 0], [1, 0], [0, 1]]);
 * ntxent(embeddings, tensor([0, 0, 1], 'int32'), { temperature: 1 })   // 0.3132
 */
export function ntxent(
  embeddings: Tensor,
  labels: Tensor,
  options: { readonly temperature?: number } = {},
): Tensor {
  checkOptions('ntxent', options, ['temperature']);
  checkTensors('ntxent', { embeddings, labels });
  checkRows('ntxent', 'embeddings', embeddings, 'embeddings', embeddings);
  const { temperature = 0.07 } = options;
  if (!(temperature > 0))
    throw new OptionError(`ntxent: temperature must be a number above 0, but is ${String(temperature)}.`);
  const [n] = embeddings.shape;
  if (embeddings.ndim !== 2 || labels.ndim !== 1 || labels.shape[0] !== n)
    throw new ShapeError(
      `ntxent: embeddings are [N, D] and labels [N], but are ${showAval(embeddings.aval)} and ${showAval(labels.aval)}.`,
    );
  const squares = sum(square(embeddings), { axis: -1, keepdims: true });
  const unit = divide(embeddings, sqrt(maximum(squares, 1e-12)));
  const cosines = divide(matmul(unit, transpose(unit)), temperature); // [N, N]
  const isSame = equal(expandDims(labels, 1), expandDims(labels, 0));
  const isPair = logicalAnd(isSame, logicalNot(eye(n as number, n, 'bool')));
  const others = logSumExp(where(isSame, -1e30, cosines), { axis: -1, keepdims: true }); // [N, 1]
  const losses = subtract(logAddExp(cosines, others), cosines);
  const pairs = sum(where(isPair, 1, multiply(0, cosines)));
  return divide(sum(where(isPair, losses, 0)), pairs);
}
