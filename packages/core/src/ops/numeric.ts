/** Elementwise functions that are made of others: roots, angles, remainders, parts of numbers. */
import { isFloat, isInteger } from '../dtype.ts';
import { DTypeError } from '../errors.ts';
import * as p from '../primitives/arithmetic.ts';
import { scalar } from '../primitives/pointwise.ts';
import * as special from '../primitives/special.ts';
import { broadcastShapes } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { floorDivide, remainder } from './arithmetic.ts';
import { checkOptions } from './check.ts';
import {
  floatOperand,
  floatPair,
  numericOperand,
  numericPair,
  operand,
  promotePair,
  type TensorLike,
} from './convert.ts';
import { isNan } from './logic.ts';
import { logAddExp } from './math.ts';
import { all } from './reduce.ts';

const like = (value: number, x: Tensor): Tensor => scalar(value, x.dtype);

/** The cube root, of the sign of `x`. @example cbrt(tensor([27, -8]))   // [3, -2] */
export function cbrt(x: TensorLike): Tensor {
  return special.cbrt(floatOperand('cbrt', x));
}

/**
 * `√(x² + y²)` without overflow; its derivative at 0 is 0.
 * @throws {ShapeError} if the shapes do not broadcast.
 * @example hypot(3, tensor(4))               // 5
 */
export function hypot(x: TensorLike, y: TensorLike): Tensor {
  return special.hypot(...floatPair('hypot', x, y));
}

/** Degrees as radians. @example deg2rad(tensor(180))   // 3.141593 */
export function deg2rad(x: TensorLike): Tensor {
  const t = floatOperand('deg2rad', x);
  return p.mul(t, like(Math.PI / 180, t));
}

/** Radians as degrees. @example rad2deg(tensor(Math.PI))   // 180 */
export function rad2deg(x: TensorLike): Tensor {
  const t = floatOperand('rad2deg', x);
  return p.mul(t, like(180 / Math.PI, t));
}

/**
 * `sin(πx) / (πx)`, and 1 at 0; smooth there to any order.
 * @example sinc(tensor([0, 0.5, 1]))         // [1, 0.6366198, 0]
 */
export function sinc(x: TensorLike): Tensor {
  const t = floatOperand('sinc', x);
  const angle = p.mul(t, like(Math.PI, t));
  const near = p.compare('lt', p.elementary.abs(angle), like(1, t));
  const apart = p.select(near, like(1, t), angle); // the branch not taken stays harmless
  const close = p.select(near, angle, like(0, t));
  const z = p.mul(close, close);
  const series = sincTerms.reduceRight((y, c) => p.add(p.mul(y, z), like(c, t)), like(0, t));
  return p.select(near, series, p.div(p.elementary.sin(apart), apart));
}

/** `(-1)^k / (2k+1)!` */
const sincTerms = Array.from({ length: 10 }, (_, k) => {
  let term = 1;
  for (let i = 2; i <= 2 * k + 1; i++) term /= i;
  return k % 2 === 0 ? term : -term;
});

/**
 * `log2(2 ** x + 2 ** y)`, without overflow.
 * @throws {ShapeError} if the shapes do not broadcast.
 * @example logAddExp2(tensor(1000), 1000)    // 1001
 */
export function logAddExp2(x: TensorLike, y: TensorLike): Tensor {
  const [a, b] = floatPair('logAddExp2', x, y);
  const ln2 = like(Math.LN2, a);
  return p.div(logAddExp(p.mul(a, ln2), p.mul(b, ln2)), ln2);
}

/** Whether the sign bit is set: of negative numbers and -0; false of NaN. @returns bool @example signbit(tensor([-0, 1]))   // [true, false] */
export function signbit(x: TensorLike): Tensor {
  return negativeSign(numericOperand('signbit', x));
}

function negativeSign(t: Tensor): Tensor {
  const below = p.compare('lt', t, like(0, t));
  if (!isFloat(t.dtype)) return below;
  const isZero = p.compare('eq', t, like(0, t));
  const inverse = p.div(like(1, t), p.select(isZero, t, like(1, t))); // ±inf at ±0
  return p.or(below, p.compare('lt', inverse, like(0, t)));
}

/**
 * The magnitude of `x` with the sign of `y`.
 * @throws {ShapeError} if the shapes do not broadcast.
 * @example copysign(tensor([1, -2]), -1)     // [-1, -2]
 */
export function copysign(x: TensorLike, y: TensorLike): Tensor {
  const [a, b] = floatPair('copysign', x, y);
  const turn = p.compare('ne', negativeSign(a), negativeSign(b));
  return p.select(turn, p.neg(a), a);
}

/**
 * 0 below 0, 1 above, and `atZero` at 0.
 * @throws {ShapeError} if the shapes do not broadcast.
 * @example heaviside(tensor([-1, 0, 2]), 0.5)   // [0, 0.5, 1]
 */
export function heaviside(x: TensorLike, atZero: TensorLike): Tensor {
  const [a, b] = floatPair('heaviside', x, atZero);
  const zero = like(0, a);
  const step = p.select(p.compare('lt', a, zero), zero, like(1, a));
  const known = p.select(p.compare('ne', a, a), a, step);
  return p.select(p.compare('eq', a, zero), b, known);
}

/**
 * The rest of the division with the sign of `x`, as C's `fmod`; {@link remainder} has that of `y`.
 * @throws {ShapeError} if the shapes do not broadcast.
 * @example fmod(tensor([7, -7]), 3)          // [1, -1]
 */
export function fmod(x: TensorLike, y: TensorLike): Tensor {
  return p.rem(...numericPair('fmod', x, y));
}

/**
 * {@link floorDivide} and {@link remainder} together.
 * @throws {ShapeError} if the shapes do not broadcast.
 * @example divmod(tensor([7, -7]), 3)        // [[2, -3], [1, 2]]
 */
export function divmod(x: TensorLike, y: TensorLike): [Tensor, Tensor] {
  return [floorDivide(x, y), remainder(x, y)];
}

/**
 * The greatest common divisor; that of 0 and 0 is 0.
 * @throws {DTypeError} for floats. {ShapeError} if the shapes do not broadcast.
 * @example gcd(tensor([12, 18], 'int32'), 8)   // [4, 2]
 */
export function gcd(x: TensorLike, y: TensorLike): Tensor {
  return special.gcd(...integerPair('gcd', x, y));
}

/**
 * The least common multiple; 0 if one is 0. Wraps.
 * @throws {DTypeError} for floats. {ShapeError} if the shapes do not broadcast.
 * @example lcm(tensor([4, 6], 'int32'), 10)    // [20, 30]
 */
export function lcm(x: TensorLike, y: TensorLike): Tensor {
  const [a, b] = integerPair('lcm', x, y);
  const divisor = special.gcd(a, b);
  const safe = p.select(p.compare('eq', divisor, like(0, a)), like(1, a), divisor);
  return p.elementary.abs(p.mul(p.div(a, safe), b));
}

function integerPair(op: string, x: TensorLike, y: TensorLike): [Tensor, Tensor] {
  const pair = promotePair(op, x, y);
  if (!isInteger(pair[0].dtype))
    throw new DTypeError(`${op}: needs integers, but got ${pair[0].dtype}; convert them with astype().`);
  return pair;
}

/** The greater one; of a NaN and a number, the number. @example fmax(tensor([NaN, 1]), 0)   // [0, 1] */
export function fmax(x: TensorLike, y: TensorLike): Tensor {
  return passingOverNan('fmax', p.max, x, y);
}

/** The lesser one; of a NaN and a number, the number. @example fmin(tensor([NaN, 1]), 0)   // [0, 0] */
export function fmin(x: TensorLike, y: TensorLike): Tensor {
  return passingOverNan('fmin', p.min, x, y);
}

function passingOverNan(op: string, f: typeof p.max, x: TensorLike, y: TensorLike): Tensor {
  const [a, b] = numericPair(op, x, y);
  if (!isFloat(a.dtype)) return f(a, b);
  const [aIsNan, bIsNan] = [p.compare('ne', a, a), p.compare('ne', b, b)];
  return f(p.select(aIsNan, b, a), p.select(bIsNan, a, b));
}

/**
 * Numbers in the place of NaN and the infinities.
 *
 * @param options.nan 0 by default.
 * @param options.posinf The greatest number of the dtype by default. @param options.neginf The least by default.
 * @example nanToNum(tensor([NaN, 1]), { nan: -1 })   // [-1, 1]
 */
export function nanToNum(
  x: TensorLike,
  options: {
    readonly nan?: number | undefined;
    readonly posinf?: number | undefined;
    readonly neginf?: number | undefined;
  } = {},
): Tensor {
  checkOptions('nanToNum', options, ['nan', 'posinf', 'neginf']);
  const t = operand('nanToNum', x);
  if (!isFloat(t.dtype)) return t;
  const most = t.dtype === 'float32' ? 3.4028234663852886e38 : Number.MAX_VALUE;
  const { nan = 0, posinf = most, neginf = -most } = options;
  const noNan = p.select(p.compare('ne', t, t), like(nan, t), t);
  const above = p.select(p.compare('eq', t, like(Infinity, t)), like(posinf, t), noNan);
  return p.select(p.compare('eq', t, like(-Infinity, t)), like(neginf, t), above);
}

/** Whether an element is the positive infinity. @returns bool @example isPosInf(tensor([Infinity, -Infinity]))   // [true, false] */
export function isPosInf(x: TensorLike): Tensor {
  const t = numericOperand('isPosInf', x);
  return isFloat(t.dtype) ? p.compare('eq', t, like(Infinity, t)) : p.compare('ne', t, t);
}

/** Whether an element is the negative infinity. @returns bool @example isNegInf(tensor([Infinity, -Infinity]))   // [false, true] */
export function isNegInf(x: TensorLike): Tensor {
  const t = numericOperand('isNegInf', x);
  return isFloat(t.dtype) ? p.compare('eq', t, like(-Infinity, t)) : p.compare('ne', t, t);
}

/** Options of {@link isClose} and {@link allClose}. */
export interface CloseOptions {
  /** Relative to `y`; 1e-5 by default. */
  readonly rtol?: number | undefined;
  /** Absolute; 1e-8 by default. */
  readonly atol?: number | undefined;
  /** Whether NaN is close to NaN; not by default. */
  readonly equalNan?: boolean | undefined;
}

/**
 * Whether `|x - y| <= atol + rtol |y|`; equal infinities are close.
 * @returns bool
 * @throws {ShapeError} if the shapes do not broadcast.
 * @example isClose(tensor([1, 2]), tensor([1.000001, 3]))   // [true, false]
 */
export function isClose(x: TensorLike, y: TensorLike, options: CloseOptions = {}): Tensor {
  return close('isClose', x, y, options);
}

/**
 * Whether all elements are close, as by {@link isClose}.
 * @returns a bool
 * @throws {ShapeError} if the shapes do not broadcast.
 * @example allClose(tensor([1, 2]), tensor([1.000001, 2]))  // true
 */
export function allClose(x: TensorLike, y: TensorLike, options: CloseOptions = {}): Tensor {
  return all(close('allClose', x, y, options));
}

function close(op: string, x: TensorLike, y: TensorLike, options: CloseOptions): Tensor {
  checkOptions(op, options, ['rtol', 'atol', 'equalNan']);
  const { rtol = 1e-5, atol = 1e-8, equalNan = false } = options;
  const [a, b] = floatPair(op, x, y);
  const allowed = p.add(like(atol, a), p.mul(like(rtol, a), p.elementary.abs(b)));
  const finite = p.compare('lt', p.elementary.abs(b), like(Infinity, b));
  const near = p.and(finite, p.compare('le', p.elementary.abs(p.sub(a, b)), allowed));
  const alike = p.or(near, p.compare('eq', a, b));
  return equalNan ? p.or(alike, p.and(isNan(a), isNan(b))) : alike;
}

/**
 * Whether two tensors have the same shape and equal elements.
 * @returns a bool
 * @example arrayEqual(tensor([1, 2]), tensor([1, 2]))       // true
 */
export function arrayEqual(x: TensorLike, y: TensorLike): Tensor {
  const [a, b] = [operand('arrayEqual', x), operand('arrayEqual', y)];
  if (String(a.shape) !== String(b.shape)) return scalar(0, 'bool');
  return all(p.compare('eq', ...promotePair('arrayEqual', a, b)));
}

/**
 * `x 2ⁿ`, exact where it does not round below the smallest normal number.
 * @param n Integers.
 * @throws {DTypeError} unless `n` holds integers. {ShapeError} if the shapes do not broadcast.
 * @example ldexp(tensor([0.5, 3]), tensor([3, 1], 'int32'))   // [4, 6]
 */
export function ldexp(x: TensorLike, n: TensorLike): Tensor {
  const t = floatOperand('ldexp', x);
  const exponent = typeof n === 'number' ? scalar(n, 'int32') : operand('ldexp', n);
  if (!isInteger(exponent.dtype))
    throw new DTypeError(`ldexp: n must be integers, but is ${exponent.dtype}; convert it with astype().`);
  broadcastShapes('ldexp', t.shape, exponent.shape);
  return scale(t, exponent);
}

/** By three powers, each of which is a number of the dtype. */
function scale(t: Tensor, exponent: Tensor): Tensor {
  const widest = t.dtype === 'float32' ? 120 : 1000;
  let result = t;
  let left = p.convert(exponent, t.dtype);
  for (let step = 0; step < 3; step++) {
    const part = p.min(p.max(left, like(-widest, t)), like(widest, t));
    result = p.mul(result, p.elementary.round(p.pow(like(2, t), p.max(part, like(0, t)))));
    result = p.div(result, p.elementary.round(p.pow(like(2, t), p.max(p.neg(part), like(0, t)))));
    left = p.sub(left, part);
  }
  return result;
}

/**
 * `m` and `n` with `x = m 2ⁿ` and `½ ≤ |m| < 1`; 0, NaN and the infinities have `n = 0`.
 * @returns The fractions, and `int32` exponents.
 * @example frexp(tensor([4, 3]))              // [[0.5, 0.75], [3, 2]]
 */
export function frexp(x: TensorLike): [Tensor, Tensor] {
  const t = floatOperand('frexp', x);
  const [zero, one, two] = [like(0, t), like(1, t), like(2, t)];
  const size = p.elementary.abs(t);
  const ordinary = p.and(p.compare('lt', zero, size), p.compare('lt', size, like(Infinity, t)));
  const safe = p.select(ordinary, size, one);
  // The logarithm may be off by one near powers of 2, which shows in the fraction.
  const guess = p.convert(
    p.elementary.floor(p.add(p.div(p.elementary.log(safe), like(Math.LN2, t)), one)),
    'int32',
  );
  const part = scale(safe, p.neg(guess));
  const [high, low] = [p.compare('le', one, part), p.compare('lt', part, like(0.5, t))];
  const fraction = p.select(high, p.div(part, two), p.select(low, p.mul(part, two), part));
  const step = p.select(high, scalar(1, 'int32'), p.select(low, scalar(-1, 'int32'), scalar(0, 'int32')));
  const signed = p.select(p.compare('lt', t, zero), p.neg(fraction), fraction);
  return [p.select(ordinary, signed, t), p.select(ordinary, p.add(guess, step), scalar(0, 'int32'))];
}

/**
 * The fractional and the whole part of `x`, both with its sign.
 * @example modf(tensor([1.5, -2.25]))         // [[0.5, -0.25], [1, -2]]
 */
export function modf(x: TensorLike): [Tensor, Tensor] {
  const t = floatOperand('modf', x);
  const whole = p.elementary.trunc(t);
  const infinite = p.compare('eq', p.elementary.abs(t), like(Infinity, t));
  const part = p.select(infinite, like(0, t), p.sub(t, p.select(infinite, like(0, t), whole)));
  return [copysign(part, t), whole];
}

/**
 * The next number of the dtype after `x` in the direction of `y`.
 * @throws {DTypeError} for `float64`, whose bits no backend reads. {ShapeError} if the shapes do not broadcast.
 * @example nextAfter(tensor(1), 2)            // 1.0000001
 */
export function nextAfter(x: TensorLike, y: TensorLike): Tensor {
  const [a, b] = floatPair('nextAfter', x, y);
  if (a.dtype !== 'float32')
    throw new DTypeError(`nextAfter: needs float32, but got ${a.dtype}; convert it with astype().`);
  const [zero, one] = [scalar(0, 'uint32'), scalar(1, 'uint32')];
  const bits = p.bitcast(a, 'uint32');
  const towardsZero = p.compare('eq', p.compare('lt', a, b), p.compare('lt', a, like(0, a)));
  const stepped = p.select(towardsZero, p.sub(bits, one), p.add(bits, one));
  const least = p.select(p.compare('lt', b, like(0, b)), scalar(2 ** 31 + 1, 'uint32'), one);
  const moved = p.select(p.compare('eq', a, like(0, a)), least, stepped);
  const result = p.bitcast(p.select(p.compare('eq', a, b), zero, moved), 'float32');
  const equalOrNan = p.select(p.compare('eq', a, b), b, p.add(a, b)); // NaN if either is
  const same = p.or(p.compare('eq', a, b), p.or(isNan(a), isNan(b)));
  return p.select(same, equalOrNan, result);
}

/**
 * How many bits of the magnitude are set: NumPy's `bitwise_count`.
 * @returns int32 @throws {DTypeError} for floats.
 * @example bitwiseCount(tensor([7, 8], 'int32'))   // [3, 1]
 */
export function bitwiseCount(x: TensorLike): Tensor {
  const t = integerOperand('bitwiseCount', x);
  return p.convert(countBits(p.convert(t.dtype === 'int32' ? p.elementary.abs(t) : t, 'uint32')), 'int32');
}

/**
 * How many bits above the highest set one are not set, of 32 (of 8 for `uint8`).
 * @returns int32 @throws {DTypeError} for floats.
 * @example countLeadingZeros(tensor([1, 256], 'int32'))   // [31, 23]
 */
export function countLeadingZeros(x: TensorLike): Tensor {
  const t = integerOperand('countLeadingZeros', x);
  let bits = p.convert(t, 'uint32');
  for (const by of [1, 2, 4, 8, 16]) bits = p.or(bits, p.shr(bits, scalar(by, 'uint32')));
  const width = t.dtype === 'uint8' ? 8 : 32;
  return p.sub(scalar(width, 'int32'), p.convert(countBits(bits), 'int32'));
}

function integerOperand(op: string, x: TensorLike): Tensor {
  const t = typeof x === 'number' ? scalar(x, 'int32') : operand(op, x);
  if (!isInteger(t.dtype))
    throw new DTypeError(`${op}: needs integers, but got ${t.dtype}; convert it with astype().`);
  return t;
}

/** Sums of bits in parallel: of pairs, of nibbles, of bytes. */
function countBits(x: Tensor): Tensor {
  const u = (value: number): Tensor => scalar(value, 'uint32');
  const pairs = p.sub(x, p.and(p.shr(x, u(1)), u(0x55555555)));
  const nibbles = p.add(p.and(pairs, u(0x33333333)), p.and(p.shr(pairs, u(2)), u(0x33333333)));
  const bytes = p.and(p.add(nibbles, p.shr(nibbles, u(4))), u(0x0f0f0f0f));
  return p.shr(p.mul(bytes, u(0x01010101)), u(24));
}
