/** How good predictions are. */
import {
  abs,
  add,
  argmax,
  astype,
  divide,
  equal,
  expandDims,
  floor,
  greater,
  matmul,
  max,
  maximum,
  mean,
  minimum,
  multiply,
  oneHot,
  subtract,
  sum,
  type Tensor,
  transpose,
  where,
} from '@neumann/core';
import { checkOptions } from '@neumann/core/extend';
import { softmax } from './functions.ts';
import { checkOperands } from './losses.ts';
import { positiveInteger } from './options.ts';

/**
 * The fraction of examples whose label has one of the k greatest logits; a tie counts against it.
 *
 * @param logits `[..., K]`
 * @param labels integers `[...]`
 * @returns scalar in [0, 1], float32.
 * @throws {OptionError} unless k is an integer of at least 1. {ShapeError}, {DTypeError} as for `accuracy`.
 * @example topKAccuracy(tensor([[3, 2, 1], [1, 2, 3]]), tensor([1, 0], 'int32'), 2)   // 0.5
 */
export function topKAccuracy(logits: Tensor, labels: Tensor, k: number): Tensor {
  positiveInteger('topKAccuracy', 'k', k);
  checkOperands('topKAccuracy', logits, labels);
  const hit = oneHot(labels, logits.shape.at(-1) as number, 'bool');
  const own = max(where(hit, logits, Number.NEGATIVE_INFINITY), { axis: -1, keepdims: true });
  const better = sum(astype(where(hit, false, greater(logits, own)), 'int32'), { axis: -1 });
  const tied = subtract(sum(astype(equal(logits, own), 'int32'), { axis: -1 }), 1);
  return mean(astype(greater(k, add(better, tied)), 'float32'));
}

/**
 * How often each label was predicted as each class.
 *
 * @param logits `[N, K]`
 * @param labels integers `[N]`
 * @returns `i32[K, K]`: rows are labels, columns predictions.
 * @throws {ShapeError}, {DTypeError} as for `accuracy`.
 * @example confusionMatrix(tensor([[2, 0], [3, 1]]), tensor([0, 1], 'int32'))   // [[1, 0], [1, 0]]
 */
export function confusionMatrix(logits: Tensor, labels: Tensor): Tensor {
  checkOperands('confusionMatrix', logits, labels);
  const classes = logits.shape.at(-1) as number;
  const actual = oneHot(labels, classes, 'float32'); // exact for fewer than 2^24 examples
  const predicted = oneHot(argmax(logits, { axis: -1 }), classes, 'float32');
  return astype(matmul(transpose(actual), predicted), 'int32');
}

/**
 * The expected calibration error: how far the confidence of predictions is from how often they are right, over bins of
 * equal width of the confidence. Guo et al. 2017.
 *
 * @param logits `[N, K]`
 * @param labels integers `[N]`
 * @param options.bins 15 by default.
 * @returns scalar in [0, 1], float32.
 * @throws {OptionError} for bad options. {ShapeError}, {DTypeError} as for `accuracy`.
 * @example calibrationError(tensor([[0, 0], [0, 0]]), tensor([0, 1], 'int32'))   // 0
 */
export function calibrationError(
  logits: Tensor,
  labels: Tensor,
  options: { readonly bins?: number } = {},
): Tensor {
  checkOptions('calibrationError', options, ['bins']);
  const bins = positiveInteger('calibrationError', 'bins', options.bins ?? 15);
  checkOperands('calibrationError', logits, labels);
  const probabilities = softmax(astype(logits, 'float32'));
  const confidence = max(probabilities, { axis: -1 });
  const right = astype(equal(argmax(logits, { axis: -1 }), astype(labels, 'int32')), 'float32');
  const bin = astype(minimum(floor(multiply(confidence, bins)), bins - 1), 'int32');
  const inBin = oneHot(bin, bins, 'float32'); // [N, bins]
  const total = (x: Tensor): Tensor => sum(multiply(inBin, expandDims(x, 1)), { axis: 0 });
  return divide(sum(abs(subtract(total(confidence), total(right)))), maximum(labels.size, 1));
}
