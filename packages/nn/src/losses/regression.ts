/** Losses of predicted numbers: a value for each element, or for each row; average them with `mean()`. */
import {
  abs,
  add,
  divide,
  exp,
  lessEqual,
  log1p,
  minimum,
  multiply,
  OptionError,
  sqrt,
  square,
  subtract,
  sum,
  type Tensor,
  where,
} from '@neumann/core';
import { checkOptions } from '@neumann/core/extend';
import { checkPair, checkRows } from './pairs.ts';

/**
 * `(prediction - target)²`, element by element.
 *
 * @throws {ShapeError} {DTypeError} unless both are floats of one shape.
 * @example squaredError(tensor([1, 3]), tensor([1, 1]))   // [0, 4]
 */
export function squaredError(predictions: Tensor, targets: Tensor): Tensor {
  checkPair('squaredError', 'predictions', predictions, 'targets', targets);
  return square(subtract(predictions, targets));
}

/**
 * `½ (prediction - target)²`, element by element.
 *
 * @throws {ShapeError} {DTypeError} unless both are floats of one shape.
 * @example l2Loss(tensor([1, 3]), tensor([1, 1]))   // [0, 2]
 */
export function l2Loss(predictions: Tensor, targets: Tensor): Tensor {
  return multiply(0.5, squaredError(predictions, targets));
}

/**
 * `|prediction - target|`, element by element.
 *
 * @throws {ShapeError} {DTypeError} unless both are floats of one shape.
 * @example absoluteError(tensor([1, 3]), tensor([2, 1]))   // [1, 2]
 */
export function absoluteError(predictions: Tensor, targets: Tensor): Tensor {
  checkPair('absoluteError', 'predictions', predictions, 'targets', targets);
  return abs(subtract(predictions, targets));
}

/**
 * A parabola near 0 and a line beyond `delta`, element by element (Huber 1964): `½ e²` for `|e| ≤ δ`, else `δ (|e| - ½ δ)`.
 *
 * @param options.delta δ, 1 by default.
 * @throws {ShapeError} {DTypeError} unless both are floats of one shape. {OptionError} unless δ is above 0.
 * @example huberLoss(tensor([0.5, 3]), tensor([0, 0]))   // [0.125, 2.5]
 */
export function huberLoss(
  predictions: Tensor,
  targets: Tensor,
  options: { readonly delta?: number } = {},
): Tensor {
  checkOptions('huberLoss', options, ['delta']);
  checkPair('huberLoss', 'predictions', predictions, 'targets', targets);
  const { delta = 1 } = options;
  if (!(delta > 0))
    throw new OptionError(`huberLoss: delta must be a number above 0, but is ${String(delta)}.`);
  const error = abs(subtract(predictions, targets));
  const near = minimum(error, delta);
  return add(multiply(0.5, square(near)), multiply(delta, subtract(error, near)));
}

/**
 * `log(cosh(prediction - target))`, element by element, without overflow: `½ e²` near 0, `|e| - log 2` far away.
 *
 * @throws {ShapeError} {DTypeError} unless both are floats of one shape.
 * @example logCosh(tensor([0, 100]), tensor([0, 0]))   // [0, 99.3068]
 */
export function logCosh(predictions: Tensor, targets: Tensor): Tensor {
  const error = absoluteError(predictions, targets);
  return subtract(add(error, log1p(exp(multiply(-2, error)))), Math.LN2);
}

/**
 * The cosine of the angle between rows: `⟨p, t⟩ / (‖p‖ ‖t‖)`.
 *
 * @param predictions `[..., K]`
 * @param targets `[..., K]`
 * @param options.eps The least norm, so that rows of zeros give 0; 1e-8 by default.
 * @returns `[...]`
 * @throws {ShapeError} {DTypeError} unless both are floats of one shape.
 * @example cosineSimilarity(tensor([1, 0]), tensor([3, 4]))   // 0.6
 */
export function cosineSimilarity(
  predictions: Tensor,
  targets: Tensor,
  options: { readonly eps?: number } = {},
): Tensor {
  checkOptions('cosineSimilarity', options, ['eps']);
  checkRows('cosineSimilarity', 'predictions', predictions, 'targets', targets);
  const { eps = 1e-8 } = options;
  const rows = (x: Tensor) => sum(x, { axis: -1 });
  const norm = (x: Tensor) => {
    const squares = rows(square(x));
    const isSmall = lessEqual(squares, eps * eps);
    return where(isSmall, eps, sqrt(where(isSmall, 1, squares)));
  };
  return divide(rows(multiply(predictions, targets)), multiply(norm(predictions), norm(targets)));
}

/**
 * `1 -` {@link cosineSimilarity}.
 *
 * @throws {ShapeError} {DTypeError} unless both are floats of one shape.
 * @example cosineDistance(tensor([1, 0]), tensor([3, 4]))   // 0.4
 */
export function cosineDistance(
  predictions: Tensor,
  targets: Tensor,
  options: { readonly eps?: number } = {},
): Tensor {
  checkOptions('cosineDistance', options, ['eps']);
  return subtract(1, cosineSimilarity(predictions, targets, options));
}
