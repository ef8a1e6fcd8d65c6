/** Losses of predicted classes: a value for each example; average them with `mean()`. */
import {
  add,
  divide,
  equal,
  exp,
  log,
  maximum,
  multiply,
  negative,
  OptionError,
  power,
  sigmoid,
  softplus,
  subtract,
  sum,
  type Tensor,
  where,
} from '@neumann/core';
import { checkOptions } from '@neumann/core/extend';
import { logSoftmax } from '../functions.ts';
import { checkPair, checkRows } from './pairs.ts';

const rows = (x: Tensor): Tensor => sum(x, { axis: -1 });
/** `x y`, and 0 where x is 0, whatever y. */
const weighted = (x: Tensor, y: Tensor): Tensor => where(equal(x, 0), 0, multiply(x, y));

/**
 * `-Σ label log softmax(logits)`, for labels that are distributions; see {@link crossEntropy} for class indices. A class with
 * label 0 adds nothing, even if its logit is minus infinity.
 *
 * @param logits `[..., K]`
 * @param labels `[..., K]`, each row a distribution.
 * @returns `[...]`, in nats.
 * @throws {ShapeError} {DTypeError} unless both are floats of one shape.
 * @example softmaxCrossEntropy(tensor([2, 0]), tensor([1, 0]))   // 0.1269
 */
export function softmaxCrossEntropy(logits: Tensor, labels: Tensor): Tensor {
  checkRows('softmaxCrossEntropy', 'logits', logits, 'labels', labels);
  return negative(rows(weighted(labels, logSoftmax(logits))));
}

/**
 * The cross-entropy of independent yes-or-no labels, element by element:
 * `-label log σ(logit) - (1 - label) log σ(-logit)`, without overflow.
 *
 * @param labels Probabilities in [0, 1], in the shape of `logits`.
 * @throws {ShapeError} {DTypeError} unless both are floats of one shape.
 * @example sigmoidBinaryCrossEntropy(tensor([0, 100]), tensor([1, 1]))   // [0.693147, 0]
 */
export function sigmoidBinaryCrossEntropy(logits: Tensor, labels: Tensor): Tensor {
  checkPair('sigmoidBinaryCrossEntropy', 'logits', logits, 'labels', labels);
  return subtract(softplus(logits), multiply(logits, labels));
}

/** Options of {@link sigmoidFocalLoss}. */
export interface FocalOptions {
  /** Weight of positive labels, `1 - alpha` that of negative ones; none by default. */
  readonly alpha?: number;
  /** γ, how much less well-classified examples count; 2. */
  readonly gamma?: number;
}

/**
 * {@link sigmoidBinaryCrossEntropy} in which examples that are classified well count less, by `(1 - p)^γ` (Lin et al. 2017,
 * https://arxiv.org/abs/1708.02002).
 *
 * @throws {ShapeError} {DTypeError} unless both are floats of one shape.
 * @example sigmoidFocalLoss(tensor([0]), tensor([1]))   // [0.173286]
 */
export function sigmoidFocalLoss(logits: Tensor, labels: Tensor, options: FocalOptions = {}): Tensor {
  checkOptions('sigmoidFocalLoss', options, ['alpha', 'gamma']);
  const { alpha, gamma = 2 } = options;
  const loss = sigmoidBinaryCrossEntropy(logits, labels);
  const p = sigmoid(logits);
  const hit = add(multiply(p, labels), multiply(subtract(1, p), subtract(1, labels)));
  const focused = multiply(power(subtract(1, hit), gamma), loss);
  if (alpha === undefined) return focused;
  return multiply(add(multiply(alpha, labels), multiply(1 - alpha, subtract(1, labels))), focused);
}

/**
 * `max(0, 1 - label score)`, element by element, for labels of -1 and 1 (Cortes and Vapnik 1995).
 *
 * @throws {ShapeError} {DTypeError} unless both are floats of one shape.
 * @example hingeLoss(tensor([0.5, 2]), tensor([1, 1]))   // [0.5, 0]
 */
export function hingeLoss(scores: Tensor, labels: Tensor): Tensor {
  checkPair('hingeLoss', 'scores', scores, 'labels', labels);
  return maximum(0, subtract(1, multiply(scores, labels)));
}

/**
 * The Kullback–Leibler divergence `Σ target (log target - log prediction)`; a target of 0 adds nothing.
 *
 * @param logPredictions `[..., K]`, logarithms of probabilities.
 * @param targets `[..., K]`, probabilities.
 * @returns `[...]`, in nats.
 * @throws {ShapeError} {DTypeError} unless both are floats of one shape.
 * @example klDivergence(log(tensor([0.5, 0.5])), tensor([1, 0]))   // 0.693147
 */
export function klDivergence(logPredictions: Tensor, targets: Tensor): Tensor {
  checkRows('klDivergence', 'logPredictions', logPredictions, 'targets', targets);
  const isZero = equal(targets, 0);
  return rows(weighted(targets, subtract(log(where(isZero, 1, targets)), logPredictions)));
}

/**
 * Labels moved towards the uniform distribution: `(1 - alpha) label + alpha/K` (Szegedy et al. 2016,
 * https://arxiv.org/abs/1512.00567).
 *
 * @param labels `[..., K]`, distributions.
 * @throws {OptionError} unless `alpha` is from 0 to 1.
 * @example smoothLabels(tensor([1, 0]), 0.1)   // [0.95, 0.05]
 */
export function smoothLabels(labels: Tensor, alpha: number): Tensor {
  checkRows('smoothLabels', 'labels', labels, 'labels', labels);
  if (typeof alpha !== 'number' || !(alpha >= 0 && alpha <= 1))
    throw new OptionError(`smoothLabels: alpha must be a number from 0 to 1, but is ${String(alpha)}.`);
  return add(multiply(1 - alpha, labels), alpha / (labels.shape.at(-1) as number));
}

/**
 * {@link softmaxCrossEntropy} plus `epsilon (1 - p)`, where p is the probability of the label (PolyLoss; Leng et al. 2022,
 * https://arxiv.org/abs/2204.12511).
 *
 * @param options.epsilon 2 by default.
 * @throws {ShapeError} {DTypeError} unless both are floats of one shape.
 * @example polyLoss(tensor([0, 0]), tensor([1, 0]))   // 1.693147
 */
export function polyLoss(
  logits: Tensor,
  labels: Tensor,
  options: { readonly epsilon?: number } = {},
): Tensor {
  checkOptions('polyLoss', options, ['epsilon']);
  const { epsilon = 2 } = options;
  const p = rows(multiply(labels, exp(logSoftmax(logits))));
  return add(softmaxCrossEntropy(logits, labels), multiply(epsilon, subtract(1, p)));
}

/**
 * One minus the overlap of prediction and target: `1 - (2 Σ p t + smooth) / (Σ p + Σ t + smooth)` over the last axis
 * (Milletari, Navab and Ahmadi 2016, https://arxiv.org/abs/1606.04797).
 *
 * @param predictions `[..., K]`, probabilities.
 * @param targets `[..., K]`
 * @param options.smooth 1 by default; above 0, empty targets have no 0/0.
 * @returns `[...]`
 * @throws {ShapeError} {DTypeError} unless both are floats of one shape.
 * @example diceLoss(tensor([1, 0, 1]), tensor([1, 0, 0]), { smooth: 0 })   // 0.333333
 */
export function diceLoss(
  predictions: Tensor,
  targets: Tensor,
  options: { readonly smooth?: number } = {},
): Tensor {
  checkOptions('diceLoss', options, ['smooth']);
  checkRows('diceLoss', 'predictions', predictions, 'targets', targets);
  const { smooth = 1 } = options;
  const overlap = add(multiply(2, rows(multiply(predictions, targets))), smooth);
  return subtract(1, divide(overlap, add(add(rows(predictions), rows(targets)), smooth)));
}

/**
 * A loss from a function whose gradient maps scores to predictions: `maxFn(scores) - ⟨scores, target⟩` (Blondel, Martins and
 * Niculae 2020, https://arxiv.org/abs/1901.02324), up to a constant in the target. Of `logSumExp` it is
 * {@link softmaxCrossEntropy}.
 *
 * @param maxFn From `[..., K]` to `[...]`.
 * @example
 * const loss = fenchelYoungLoss((s) => logSumExp(s, { axis: -1 }));
 * loss(tensor([2, 0]), tensor([1, 0]))   // 0.1269
 */
export function fenchelYoungLoss(
  maxFn: (scores: Tensor) => Tensor,
): (scores: Tensor, targets: Tensor) => Tensor {
  return (scores, targets) => {
    checkRows('fenchelYoungLoss', 'scores', scores, 'targets', targets);
    return subtract(maxFn(scores), rows(multiply(scores, targets)));
  };
}
