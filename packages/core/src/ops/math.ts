/** Elementwise functions of floats. Integers and bools become `float32`, as in NumPy. */
import * as p from '../primitives/arithmetic.ts';
import { logAddExp as logAddExpPrimitive } from '../primitives/logAddExp.ts';
import { scalar } from '../primitives/pointwise.ts';
import type { Tensor } from '../tensor.ts';
import { floatOperand, floatPair, type TensorLike } from './convert.ts';

/** The square root; NaN below 0. @example sqrt(tensor([4, 9]))   // [2, 3] */
export function sqrt(x: TensorLike): Tensor {
  return p.elementary.sqrt(floatOperand('sqrt', x));
}

/** `1 / sqrt(x)`. @example rsqrt(tensor([4, 1]))   // [0.5, 1] */
export function rsqrt(x: TensorLike): Tensor {
  return p.elementary.rsqrt(floatOperand('rsqrt', x));
}

/** `e ** x`. @example exp(tensor([0, 1]))   // [1, 2.718282] */
export function exp(x: TensorLike): Tensor {
  return p.elementary.exp(floatOperand('exp', x));
}

/** `e ** x - 1`, without cancellation near 0. @example expm1(tensor(1e-10))   // 1e-10 */
export function expm1(x: TensorLike): Tensor {
  return p.elementary.expm1(floatOperand('expm1', x));
}

/** The natural logarithm: -inf at 0, NaN below. @example log(tensor([1, 0]))   // [0, -Infinity] */
export function log(x: TensorLike): Tensor {
  return p.elementary.log(floatOperand('log', x));
}

/** `log(1 + x)`, without cancellation near 0. @example log1p(tensor(1e-10))   // 1e-10 */
export function log1p(x: TensorLike): Tensor {
  return p.elementary.log1p(floatOperand('log1p', x));
}

/** The sine; `x` in radians. @example sin(tensor([0, Math.PI / 2]))   // [0, 1] */
export function sin(x: TensorLike): Tensor {
  return p.elementary.sin(floatOperand('sin', x));
}

/** The cosine; `x` in radians. @example cos(tensor([0, Math.PI]))   // [1, -1] */
export function cos(x: TensorLike): Tensor {
  return p.elementary.cos(floatOperand('cos', x));
}

/** The tangent; `x` in radians. @example tan(tensor(Math.PI / 4))   // 1 */
export function tan(x: TensorLike): Tensor {
  return p.elementary.tan(floatOperand('tan', x));
}

/**
 * The angle in `[-π/2, π/2]` whose sine is `x`; NaN outside of `[-1, 1]`.
 * @example arcsin(tensor(1))   // 1.570796
 */
export function arcsin(x: TensorLike): Tensor {
  return p.elementary.asin(floatOperand('arcsin', x));
}

/** The angle in `[0, π]` whose cosine is `x`; NaN outside of `[-1, 1]`. @example arccos(tensor(1))   // 0 */
export function arccos(x: TensorLike): Tensor {
  return p.elementary.acos(floatOperand('arccos', x));
}

/** The angle in `(-π/2, π/2)` whose tangent is `x`. @example arctan(tensor(1))   // 0.7853982 */
export function arctan(x: TensorLike): Tensor {
  return p.elementary.atan(floatOperand('arctan', x));
}

/** `(e ** x - e ** -x) / 2`. @example sinh(tensor(1))   // 1.175201 */
export function sinh(x: TensorLike): Tensor {
  return p.elementary.sinh(floatOperand('sinh', x));
}

/** `(e ** x + e ** -x) / 2`. @example cosh(tensor(0))   // 1 */
export function cosh(x: TensorLike): Tensor {
  return p.elementary.cosh(floatOperand('cosh', x));
}

/** The hyperbolic tangent. @example tanh(tensor([0, 100]))   // [0, 1] */
export function tanh(x: TensorLike): Tensor {
  return p.elementary.tanh(floatOperand('tanh', x));
}

/** The inverse of {@link sinh}. @example arcsinh(tensor(0))   // 0 */
export function arcsinh(x: TensorLike): Tensor {
  return p.elementary.asinh(floatOperand('arcsinh', x));
}

/** The inverse of {@link cosh} on `[1, ∞)`; NaN below 1. @example arccosh(tensor(1))   // 0 */
export function arccosh(x: TensorLike): Tensor {
  return p.elementary.acosh(floatOperand('arccosh', x));
}

/** The inverse of {@link tanh}: ±inf at ±1, NaN beyond. @example arctanh(tensor(0))   // 0 */
export function arctanh(x: TensorLike): Tensor {
  return p.elementary.atanh(floatOperand('arctanh', x));
}

/** The error function, `2/√π ∫₀ˣ exp(-t²) dt`. @example erf(tensor([0, 1]))   // [0, 0.8427008] */
export function erf(x: TensorLike): Tensor {
  return p.elementary.erf(floatOperand('erf', x));
}

/** `1 - erf(x)`, without cancellation for large `x`. @example erfc(tensor(3))   // 0.0000220905 */
export function erfc(x: TensorLike): Tensor {
  return p.elementary.erfc(floatOperand('erfc', x));
}

/**
 * The inverse of {@link erf}: ±inf at ±1, NaN beyond.
 * @example erfInv(tensor([0, 0.5]))   // [0, 0.4769363]
 */
export function erfInv(x: TensorLike): Tensor {
  return p.elementary.erfInv(floatOperand('erfInv', x));
}

/**
 * The logistic function, `1 / (1 + e ** -x)`; both tails, and its derivatives, are stable.
 * @example sigmoid(tensor([-100, 0]))   // [3.783506e-44, 0.5]
 */
export function sigmoid(x: TensorLike): Tensor {
  return p.elementary.sigmoid(floatOperand('sigmoid', x));
}

/** `2 ** x`. @example exp2(tensor([0, 10]))   // [1, 1024] */
export function exp2(x: TensorLike): Tensor {
  const t = floatOperand('exp2', x);
  return p.pow(scalar(2, t.dtype), t);
}

/** The logarithm to base 2: `log(x) / log(2)`. @example log2(tensor(8))   // 3 */
export function log2(x: TensorLike): Tensor {
  const t = p.elementary.log(floatOperand('log2', x));
  return p.div(t, scalar(Math.LN2, t.dtype));
}

/** The logarithm to base 10: `log(x) / log(10)`. @example log10(tensor(100))   // 2 */
export function log10(x: TensorLike): Tensor {
  const t = p.elementary.log(floatOperand('log10', x));
  return p.div(t, scalar(Math.LN10, t.dtype));
}

/**
 * The angle in `(-π, π]` between the positive x axis and the point `(x, y)`. Mind the order: `y` first.
 * @throws {ShapeError} if the shapes do not broadcast.
 * @example arctan2(1, tensor(-1))            // 2.356194
 */
export function arctan2(y: TensorLike, x: TensorLike): Tensor {
  return p.atan2(...floatPair('arctan2', y, x));
}

/**
 * `log(e ** x + e ** y)`, without overflow: the sum of two probabilities given as logarithms.
 * @throws {ShapeError} if the shapes do not broadcast.
 * @example logAddExp(tensor(1000), 1000)     // 1000.693
 */
export function logAddExp(x: TensorLike, y: TensorLike): Tensor {
  return logAddExpPrimitive(...floatPair('logAddExp', x, y));
}

/**
 * `log(1 + e ** x)`, without overflow; a smooth `maximum(x, 0)`.
 * @example softplus(tensor([-100, 100]))   // [3.783506e-44, 100]
 */
export function softplus(x: TensorLike): Tensor {
  const t = floatOperand('softplus', x);
  return logAddExpPrimitive(t, scalar(0, t.dtype));
}
