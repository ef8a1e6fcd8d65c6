/** Functions of tensors without parameters. Each is a layer, too: `serial(dense({ features: 32 }), relu)`. */
import {
  divide,
  exp,
  lessEqual,
  logSumExp,
  max,
  multiply,
  reshape,
  ShapeError,
  sigmoid,
  stopGradient,
  subtract,
  sum,
  type Tensor,
  where,
} from '@neumann/core';
import { checkOptions } from '@neumann/core/extend';
import { checkTensors } from './options.ts';

/** Options of {@link softmax} and {@link logSoftmax}. */
export interface AxisOptions {
  /** The axis that is normalised; the last one by default. */
  readonly axis?: number;
}

/** The axis of some options, the last one by default. */
export function axisOf(op: string, options: AxisOptions): number {
  checkOptions(op, options, ['axis']);
  return options.axis ?? -1;
}

/** `max(x, 0)`; the derivative at 0 is 0, and NaN stays NaN. */
export function relu(x: Tensor): Tensor {
  return where(lessEqual(x, 0), 0, x);
}

/** `x sigmoid(x)`, also known as swish. */
export function silu(x: Tensor): Tensor {
  return multiply(x, sigmoid(x));
}

/**
 * Positive numbers that sum to 1 along an axis, in the proportions of `exp(x)`.
 *
 * @example
 * softmax(tensor([0, Math.log(3)]))   // [0.25, 0.75]
 */
export function softmax(x: Tensor, options: AxisOptions = {}): Tensor {
  const axis = axisOf('softmax', options);
  const e = exp(subtract(x, stopGradient(max(x, { axis, keepdims: true })))); // at most 1
  return divide(e, sum(e, { axis, keepdims: true }));
}

/** `log(softmax(x))`, without the overflow. */
export function logSoftmax(x: Tensor, options: AxisOptions = {}): Tensor {
  return subtract(x, logSumExp(x, { axis: axisOf('logSoftmax', options), keepdims: true }));
}

/** Everything but the first axis in one: `[N, ...] -> [N, D]`. */
export function flatten(x: Tensor): Tensor {
  checkTensors('flatten', { x });
  const [n, ...rest] = x.shape;
  if (n === undefined) throw new ShapeError('flatten: x must have a batch axis, but is a scalar.');
  return reshape(x, [n, rest.reduce((d, extent) => d * extent, 1)]);
}
