/** Elementwise arithmetic. Operands broadcast and promote as in JAX; bools count as the int32 numbers 0 and 1. */
import { isFloat, isInteger } from '../dtype.ts';
import { DTypeError } from '../errors.ts';
import * as p from '../primitives/arithmetic.ts';
import { broadcastTo, stop } from '../primitives/movement.ts';
import { scalar } from '../primitives/pointwise.ts';
import { Tensor } from '../tensor.ts';
import { checkOptions } from './check.ts';
import {
  floatOperand,
  floatPair,
  numericOperand,
  numericPair,
  promotePair,
  type TensorLike,
} from './convert.ts';

/**
 * `x + y`. Integers wrap.
 * @throws {ShapeError} if the shapes do not broadcast. {DTypeError} if the dtypes have no common one.
 * @example add(tensor([1, 2]), 10)          // [11, 12]
 */
export function add(x: TensorLike, y: TensorLike): Tensor {
  return p.add(...numericPair('add', x, y));
}

/**
 * `x - y`. Integers wrap.
 * @throws {ShapeError} if the shapes do not broadcast. {DTypeError} if the dtypes have no common one.
 * @example subtract(1, tensor([1, 2]))      // [0, -1]
 */
export function subtract(x: TensorLike, y: TensorLike): Tensor {
  return p.sub(...numericPair('subtract', x, y));
}

/**
 * `x y`, element by element. Integers wrap.
 * @throws {ShapeError} if the shapes do not broadcast. {DTypeError} if the dtypes have no common one.
 * @example multiply(tensor([1, 2]), tensor([[3], [4]]))   // [[3, 6], [4, 8]]
 */
export function multiply(x: TensorLike, y: TensorLike): Tensor {
  return p.mul(...numericPair('multiply', x, y));
}

/**
 * `x / y`. Integers are divided as `float32`; see {@link floorDivide}.
 * @throws {ShapeError} if the shapes do not broadcast. {DTypeError} if the dtypes have no common one.
 * @example divide(tensor([1, 0], 'int32'), 2)   // f32[2] [0.5, 0]
 */
export function divide(x: TensorLike, y: TensorLike): Tensor {
  return p.div(...floatPair('divide', x, y));
}

/**
 * `⌊x / y⌋`. Has no derivative. An integer divided by 0 is -1 (all bits set).
 * @throws {ShapeError} if the shapes do not broadcast. {DTypeError} if the dtypes have no common one.
 * @example floorDivide(tensor([7, -7], 'int32'), 2)   // i32[2] [3, -4]
 */
export function floorDivide(x: TensorLike, y: TensorLike): Tensor {
  const [a, b] = numericPair('floorDivide', x, y).map(stop) as [Tensor, Tensor];
  const rest = p.rem(a, b);
  const below = signsDiffer(rest, b);
  const one = scalar(1, a.dtype);
  if (!isFloat(a.dtype))
    return isSigned(a) ? p.select(below, p.sub(p.div(a, b), one), p.div(a, b)) : p.div(a, b);
  const quotient = p.div(p.sub(a, rest), b); // an integer, up to rounding
  const floored = p.elementary.round(p.select(below, p.sub(quotient, one), quotient));
  return p.select(p.compare('eq', b, scalar(0, b.dtype)), p.div(a, b), floored);
}

/**
 * `x - y ⌊x / y⌋`: the rest of the division, with the sign of `y`, as NumPy's `%`. By 0: NaN, or `x` for integers.
 * @throws {ShapeError} if the shapes do not broadcast. {DTypeError} if the dtypes have no common one.
 * @example remainder(tensor([7, -7]), 3)    // [1, 2]
 */
export function remainder(x: TensorLike, y: TensorLike): Tensor {
  const [a, b] = numericPair('remainder', x, y);
  const rest = p.rem(a, b);
  return isSigned(a) ? p.select(signsDiffer(rest, b), p.add(rest, b), rest) : rest;
}

const isSigned = (x: Tensor): boolean => x.dtype !== 'uint8' && x.dtype !== 'uint32';

/** Whether a rest of a division is not 0 and has another sign than the divisor. */
function signsDiffer(rest: Tensor, divisor: Tensor): Tensor {
  const zero = scalar(0, rest.dtype);
  const differ = p.compare('ne', p.compare('lt', rest, zero), p.compare('lt', divisor, zero));
  return p.and(p.compare('ne', rest, zero), differ);
}

/**
 * `x ** y`.
 *
 * A JavaScript number as exponent is exact: whole powers up to 16 are products, `0.5` is a square root. So `power(x, 2)`
 * has the gradient `2x`, also at and below 0. Integers to integers stay integers; `x ** 0` is 1.
 *
 * @throws {DTypeError} for an integer tensor to a negative whole number.
 * @throws {ShapeError} if the shapes do not broadcast.
 * @example power(tensor([-3, 0, 3]), 2)     // [9, 0, 9]
 */
export function power(x: TensorLike, y: TensorLike): Tensor {
  if (typeof y === 'number' && x instanceof Tensor) {
    const base = numericOperand('power', x);
    const known = isInteger(base.dtype) ? integerPower(base, y) : floatPower(base, y);
    if (known) return known;
  }
  const [a, b] = numericPair('power', x, y);
  return p.pow(a, b);
}

const largestProduct = 16;

function integerPower(x: Tensor, n: number): Tensor | undefined {
  if (n < 0 && Number.isInteger(n))
    throw new DTypeError(
      `power: an integer to the power of ${n} is no integer, but x is ${x.dtype}; convert it with astype(x, 'float32').`,
    );
  return Number.isInteger(n) && n <= largestProduct ? product(x, n) : undefined;
}

function floatPower(x: Tensor, n: number): Tensor | undefined {
  if (n === 0.5) return p.elementary.sqrt(x);
  if (n === -0.5) return p.elementary.rsqrt(x);
  if (!Number.isInteger(n) || Math.abs(n) > largestProduct) return undefined;
  return n < 0 ? p.div(scalar(1, x.dtype), product(x, -n)) : product(x, n);
}

/** `x ** n` by squaring. */
function product(x: Tensor, n: number): Tensor {
  let result: Tensor | undefined;
  for (let [square, rest] = [x, n]; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = result ? p.mul(result, square) : square;
    if (rest > 1) square = p.mul(square, square);
  }
  return result ?? broadcastTo(scalar(1, x.dtype), x.shape);
}

/** `-x`. Integers wrap. @example negative(tensor([1, -2]))   // [-1, 2] */
export function negative(x: TensorLike): Tensor {
  return p.neg(numericOperand('negative', x));
}

/** `|x|`; its derivative at 0 is 0. @example abs(tensor([-3, 4]))   // [3, 4] */
export function abs(x: TensorLike): Tensor {
  return p.elementary.abs(numericOperand('abs', x));
}

/** -1, 0 or 1, with the sign of `x`; NaN for NaN. @example sign(tensor([-2, 0, 5]))   // [-1, 0, 1] */
export function sign(x: TensorLike): Tensor {
  return p.elementary.sign(numericOperand('sign', x));
}

/** `x²`. @example square(tensor([-3, 4]))   // [9, 16] */
export function square(x: TensorLike): Tensor {
  const t = numericOperand('square', x);
  return p.mul(t, t);
}

/** `1 / x`; integers become `float32`. @example reciprocal(tensor([2, 4]))   // [0.5, 0.25] */
export function reciprocal(x: TensorLike): Tensor {
  const t = floatOperand('reciprocal', x);
  return p.div(scalar(1, t.dtype), t);
}

/**
 * The greatest integer that is not above `x`; integers stay.
 * @example floor(tensor([1.5, -1.5]))   // [1, -2]
 */
export function floor(x: TensorLike): Tensor {
  return rounding('floor', x);
}

/** The least integer that is not below `x`; integers stay. @example ceil(tensor([1.5, -1.5]))   // [2, -1] */
export function ceil(x: TensorLike): Tensor {
  return rounding('ceil', x);
}

/**
 * The integer part of `x`: rounds towards 0; integers stay.
 * @example trunc(tensor([1.5, -1.5]))   // [1, -1]
 */
export function trunc(x: TensorLike): Tensor {
  return rounding('trunc', x);
}

/**
 * The nearest integer, the even one of two; integers stay.
 * @example round(tensor([0.5, 1.5, -2.5]))   // [0, 2, -2]
 */
export function round(x: TensorLike): Tensor {
  return rounding('round', x);
}

function rounding(op: 'floor' | 'ceil' | 'trunc' | 'round', x: TensorLike): Tensor {
  const t = numericOperand(op, x);
  return isFloat(t.dtype) ? p.elementary[op](t) : t;
}

/**
 * The greater of `x` and `y`; NaN if either is NaN. A tie shares the derivative equally. Of bools: their `or`.
 * @throws {ShapeError} if the shapes do not broadcast. {DTypeError} if the dtypes have no common one.
 * @example maximum(tensor([-1, 2]), 0)      // [0, 2]
 */
export function maximum(x: TensorLike, y: TensorLike): Tensor {
  const [a, b] = promotePair('maximum', x, y);
  return a.dtype === 'bool' ? p.or(a, b) : p.max(a, b);
}

/**
 * The lesser of `x` and `y`; NaN if either is NaN. A tie shares the derivative equally. Of bools: their `and`.
 * @throws {ShapeError} if the shapes do not broadcast. {DTypeError} if the dtypes have no common one.
 * @example minimum(tensor([-1, 2]), 0)      // [-1, 0]
 */
export function minimum(x: TensorLike, y: TensorLike): Tensor {
  const [a, b] = promotePair('minimum', x, y);
  return a.dtype === 'bool' ? p.and(a, b) : p.min(a, b);
}

/**
 * `x` brought into `[min, max]`; where `min > max` the result is `max`.
 *
 * @param options.min Lower bound, broadcast against `x`; none by default.
 * @param options.max Upper bound, likewise.
 * @throws {ShapeError} if the shapes do not broadcast. {DTypeError} if the dtypes have no common one.
 * @example clip(tensor([-5, 0.5, 5]), { min: 0, max: 1 })   // [0, 0.5, 1]
 */
export function clip(
  x: TensorLike,
  options: { readonly min?: TensorLike; readonly max?: TensorLike },
): Tensor {
  checkOptions('clip', options, ['min', 'max']);
  const { min, max } = options;
  const raised = min === undefined ? numericOperand('clip', x) : p.max(...numericPair('clip', x, min));
  return max === undefined ? raised : p.min(...numericPair('clip', raised, max));
}
