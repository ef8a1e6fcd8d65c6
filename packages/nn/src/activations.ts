/** Activations: functions of each element. Each is a layer, too, as those of functions.ts. NaN stays NaN. */
import {
  abs,
  add,
  clip,
  divide,
  erf,
  expm1,
  greater,
  less,
  lessEqual,
  logSumExp,
  mean,
  multiply,
  rsqrt,
  ShapeError,
  showAval,
  sigmoid,
  softplus,
  split,
  sqrt,
  square,
  subtract,
  type Tensor,
  tanh,
  variance,
  where,
} from '@neumann/core';
import { checkOptions } from '@neumann/core/extend';
import { type AxisOptions, axisOf } from './functions.ts';
import { checkTensors } from './options.ts';

/**
 * The Gaussian error linear unit `x Φ(x)`. Hendrycks and Gimpel 2016.
 *
 * @param options.approximate By the hyperbolic tangent, as GPT-2 has it; else exactly, by `erf`. Exact by default.
 * @example gelu(tensor([-1, 0, 1]))                       // [-0.158655, 0, 0.841345]
 */
export function gelu(x: Tensor, options: { readonly approximate?: boolean } = {}): Tensor {
  checkOptions('gelu', options, ['approximate']);
  if (!options.approximate) return multiply(multiply(0.5, x), add(1, erf(multiply(x, Math.SQRT1_2))));
  const inner = multiply(add(x, multiply(0.044715, multiply(x, square(x)))), Math.sqrt(2 / Math.PI));
  return multiply(multiply(0.5, x), add(1, tanh(inner)));
}

/** `min(max(x, 0), 6)`; the derivative at 0 and at 6 is 0. @example relu6(tensor([-1, 3, 9]))   // [0, 3, 6] */
export function relu6(x: Tensor): Tensor {
  return where(lessEqual(x, 0), 0, where(less(x, 6), x, where(greater(x, 0), 6, x)));
}

/** `x` above 0, a small multiple of it below. @example leakyRelu(tensor([-1, 2]))   // [-0.01, 2] */
export function leakyRelu(x: Tensor, options: { readonly slope?: number } = {}): Tensor {
  checkOptions('leakyRelu', options, ['slope']);
  return where(less(x, 0), multiply(x, options.slope ?? 0.01), x);
}

/** `x` above 0, `α (e^x - 1)` below. Clevert et al. 2015. @example elu(tensor([-1, 2]))   // [-0.632121, 2] */
export function elu(x: Tensor, options: { readonly alpha?: number } = {}): Tensor {
  checkOptions('elu', options, ['alpha']);
  return where(greater(x, 0), x, multiply(expm1(belowZero(x)), options.alpha ?? 1));
}

/** `x` where it is not above 0, so that exponentials in the branch not taken stay finite. */
const belowZero = (x: Tensor): Tensor => where(greater(x, 0), 0, x);

/** `x` above 0, `α (e^(x/α) - 1)` below: smooth for every α. Barron 2017. @example celu(tensor([-1, 2]))   // [-0.632121, 2] */
export function celu(x: Tensor, options: { readonly alpha?: number } = {}): Tensor {
  checkOptions('celu', options, ['alpha']);
  const { alpha = 1 } = options;
  return where(greater(x, 0), x, multiply(expm1(divide(belowZero(x), alpha)), alpha));
}

const seluAlpha = 1.6732632423543772;
const seluScale = 1.0507009873554805;

/** The scaled {@link elu} that keeps mean 0 and variance 1. Klambauer et al. 2017. @example selu(tensor([0, 1]))   // [0, 1.050701] */
export function selu(x: Tensor): Tensor {
  return multiply(elu(x, { alpha: seluAlpha }), seluScale);
}

/** `x tanh(softplus(x))`. Misra 2019. @example mish(tensor([0, 1]))   // [0, 0.865098] */
export function mish(x: Tensor): Tensor {
  return multiply(x, tanh(softplus(x)));
}

/** `(x + 3) / 6` between 0 and 1. @example hardSigmoid(tensor([-4, 0, 4]))   // [0, 0.5, 1] */
export function hardSigmoid(x: Tensor): Tensor {
  return divide(relu6(add(x, 3)), 6);
}

/** `x hardSigmoid(x)`: JAX's `hard_silu` and `hard_swish`. Howard et al. 2019. @example hardSwish(tensor([-4, 1, 4]))   // [0, 0.6666667, 4] */
export function hardSwish(x: Tensor): Tensor {
  return multiply(x, hardSigmoid(x));
}

/** `x` between -1 and 1. @example hardTanh(tensor([-4, 0.5, 4]))   // [-1, 0.5, 1] */
export function hardTanh(x: Tensor): Tensor {
  return where(greater(x, 1), 1, where(less(x, -1), -1, x));
}

/** `x / (1 + |x|)`. @example softSign(tensor([-1, 3]))   // [-0.5, 0.75] */
export function softSign(x: Tensor): Tensor {
  return divide(x, add(1, abs(x)));
}

/** `(x + √(x² + b)) / 2`, a smooth `relu` without exponentials. @example squareplus(tensor([0, 1.5]))   // [1, 2] */
export function squareplus(x: Tensor, options: { readonly b?: number } = {}): Tensor {
  checkOptions('squareplus', options, ['b']);
  return multiply(0.5, add(x, sqrt(add(square(x), options.b ?? 4))));
}

/** 0 below -1, `(x + 1)² / 4` up to 1, `x` beyond. @example sparsePlus(tensor([-2, 0, 2]))   // [0, 0.25, 2] */
export function sparsePlus(x: Tensor): Tensor {
  return where(lessEqual(x, -1), 0, where(less(x, 1), multiply(0.25, square(add(x, 1))), x));
}

/** `(x + 1) / 2` between 0 and 1: the derivative of {@link sparsePlus}. @example sparseSigmoid(tensor([-2, 0, 2]))   // [0, 0.5, 1] */
export function sparseSigmoid(x: Tensor): Tensor {
  return multiply(0.5, clip(add(x, 1), { min: 0, max: 2 }));
}

/**
 * The gated linear unit: the first half of an axis times the sigmoid of the second. Dauphin et al. 2016.
 * @throws {ShapeError} if the axis does not halve.
 * @example glu(tensor([3, 0]))                            // [1.5]
 */
export function glu(x: Tensor, options: AxisOptions = {}): Tensor {
  const axis = axisOf('glu', options);
  checkTensors('glu', { x });
  const extent = x.shape.at(axis);
  if (extent === undefined || extent % 2 !== 0)
    throw new ShapeError(`glu: axis ${axis} of ${showAval(x.aval)} does not divide into two halves.`);
  const [value, gate] = split(x, 2, { axis }) as [Tensor, Tensor];
  return multiply(value, sigmoid(gate));
}

/**
 * `x` shifted and scaled to mean 0 and variance 1 along axes.
 * @param options.axis The last one by default. @param options.epsilon Added to the variance, 1e-5 by default.
 * @example standardize(tensor([1, 3]))                    // [-0.999995, 0.999995]
 */
export function standardize(
  x: Tensor,
  options: { readonly axis?: number | readonly number[]; readonly epsilon?: number } = {},
): Tensor {
  checkOptions('standardize', options, ['axis', 'epsilon']);
  const fold = { axis: options.axis ?? -1, keepdims: true };
  const scale = rsqrt(add(variance(x, fold), options.epsilon ?? 1e-5));
  return multiply(subtract(x, mean(x, fold)), scale);
}

/** `log(mean(e^x))` along an axis, without overflow. @example logMeanExp(tensor([1000, 1000]))   // 1000 */
export function logMeanExp(x: Tensor, options: AxisOptions = {}): Tensor {
  const axis = axisOf('logMeanExp', options);
  checkTensors('logMeanExp', { x });
  return subtract(logSumExp(x, { axis }), Math.log(x.shape.at(axis) ?? 1));
}
