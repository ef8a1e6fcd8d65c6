import {
  add,
  any,
  argmax,
  astype,
  DTypeError,
  equal,
  logSumExp,
  mean,
  multiply,
  oneHot,
  ShapeError,
  showAval,
  subtract,
  sum,
  type Tensor,
  where,
} from '@neumann/core';
import { checkOptions, isFloat, isInteger } from '@neumann/core/extend';
import { checkTensors, fraction } from './options.ts';

/**
 * Softmax cross-entropy between logits and integer labels, averaged over the batch.
 *
 * Computed as `logSumExp(logits) - logits[label]`, so large logits do not overflow. A label outside `[0, K)` makes
 * the result NaN.
 *
 * @param logits `[..., K]`, unnormalised log-probabilities.
 * @param labels integers `[...]`, each in `[0, K)`.
 * @param options.labelSmoothing How much of the label is spread evenly over all classes, in [0, 1); 0 by default. 0.1 in
 *   Szegedy et al. 2016, which gives the loss a lower bound above 0.
 * @returns scalar, in nats.
 * @throws {ShapeError} if the batch sizes differ; {DTypeError} if logits are no floats or labels no integers; {OptionError}
 *   for bad options.
 * @example
 * crossEntropy(tensor([[2, 0]]), tensor([0], 'int32'))                            // 0.1269
 * crossEntropy(tensor([[2, 0]]), tensor([0], 'int32'), { labelSmoothing: 0.1 })   // 0.2269
 */
export function crossEntropy(
  logits: Tensor,
  labels: Tensor,
  options: { readonly labelSmoothing?: number } = {},
): Tensor {
  checkOptions('crossEntropy', options, ['labelSmoothing']);
  const smoothing = fraction('crossEntropy', 'labelSmoothing', options.labelSmoothing ?? 0);
  checkOperands('crossEntropy', logits, labels);
  const hit = oneHot(labels, logits.shape.at(-1) as number, 'bool'); // [..., K]
  const picked = sum(where(hit, logits, 0), { axis: -1 }); // where, not multiply: 0 * -inf is NaN
  const known = any(hit, { axis: -1 });
  const target =
    smoothing === 0
      ? picked
      : add(multiply(1 - smoothing, picked), multiply(smoothing, mean(logits, { axis: -1 })));
  return mean(where(known, subtract(logSumExp(logits, { axis: -1 }), target), Number.NaN));
}

/**
 * The fraction of examples whose greatest logit is the label's.
 *
 * @param logits `[..., K]`.
 * @param labels integers `[...]`.
 * @returns scalar in [0, 1], float32.
 * @throws {ShapeError} if the batch sizes differ; {DTypeError} if logits are no floats or labels no integers.
 * @example
 * accuracy(tensor([[2, 0], [3, 1]]), tensor([0, 1], 'int32'))   // 0.5
 */
export function accuracy(logits: Tensor, labels: Tensor): Tensor {
  checkOperands('accuracy', logits, labels);
  return mean(astype(equal(argmax(logits, { axis: -1 }), astype(labels, 'int32')), 'float32'));
}

/** @throws {DTypeError} or {ShapeError} unless these are logits `[..., K]` and integer labels `[...]`. */
export function checkOperands(name: string, logits: Tensor, labels: Tensor): void {
  checkTensors(name, { logits, labels });
  const [ls, ys] = [showAval(logits.aval), showAval(labels.aval)];
  if (!isInteger(labels.dtype))
    throw new DTypeError(
      `${name}: labels must be integer class indices, but are ${ys}; ` +
        `use astype(labels, 'int32'), or argmax(labels, { axis: -1 }) if they are one-hot.`,
    );
  if (!isFloat(logits.dtype)) throw new DTypeError(`${name}: logits must be floats, but are ${ls}.`);
  const batch = logits.shape.slice(0, -1);
  if (logits.ndim === 0 || labels.ndim !== batch.length || batch.some((n, i) => n !== labels.shape[i]))
    throw new ShapeError(
      `${name}: logits ${ls} need labels [${batch.join(',')}], but these are ${ys}; ` +
        `logits are [..., K] and labels [...].`,
    );
}
