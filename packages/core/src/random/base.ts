/**
 * Random numbers as functions of keys, with the bits of JAX: Threefry-2x32, each element from its own counter
 * (`jax_threefry_partitionable`, the default since JAX 0.5), the same on every backend that has uint32.
 *
 * A key gives the same numbers every time. Use each for one purpose, and make more with {@link split} or {@link foldIn}.
 */
import { showAval } from '../aval.ts';
import { type DType, isFloat, isInteger } from '../dtype.ts';
import { DTypeError, OptionError, ShapeError } from '../errors.ts';
import { checkOptions, type ShapeLike, show, toShape } from '../ops/check.ts';
import { literal, operand, placed, promoteOperands, type TensorLike } from '../ops/convert.ts';
import {
  add,
  bitcast,
  compare,
  convert,
  elementary,
  max,
  min,
  mul,
  or,
  rem,
  shr,
  sub,
  xor,
} from '../primitives/arithmetic.ts';
import { broadcastTo, concatenate, iota, reshape, slice } from '../primitives/movement.ts';
import { scalar } from '../primitives/pointwise.ts';
import { threefry2x32 } from '../primitives/threefry.ts';
import { broadcastShapes, rowMajorStrides, type Shape, sameShape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

/**
 * The key of a seed.
 *
 * @param seed An integer in `[0, 2^53)`. Seeds below 2^32 give JAX's keys.
 * @returns `u32[2]`, the high and the low word of the seed. Keys are plain tensors.
 * @throws {OptionError} for anything else.
 * @example random.normal(random.key(42)).item()   // -0.0283046
 */
export function key(seed: number): Tensor {
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new OptionError(
      `random.key: a seed is an integer of at least 0 and below 2^53, but got ${show(seed)}.`,
    );
  return placed('uint32', [2], Uint32Array.of(Math.floor(seed / 2 ** 32), seed % 2 ** 32));
}

/**
 * Independent new keys from a key, which is used up.
 *
 * @param count How many, 2 by default.
 * @returns An array of `u32[2]`.
 * @throws {OptionError} if `count` is no integer of at least 1.
 * @example const [next, now] = random.split(key);
 */
export function split(key: Tensor, count = 2): Tensor[] {
  if (!Number.isInteger(count) || count < 1)
    throw new OptionError(`random.split: count is an integer of at least 1, but got ${show(count)}.`);
  const [k0, k1] = words('split', key);
  const rows = threefry2x32(k0, k1, scalar(0, 'uint32'), iota(count, 'uint32')).map((w) =>
    reshape(w, [count, 1]),
  );
  const keys = concatenate(rows, 1); // [count, 2]
  return Array.from({ length: count }, (_, i) => reshape(slice(keys, [i, 0], [i + 1, 2], [1, 1]), [2]));
}

/**
 * The key for a number (of a step, a layer, a device) under a key: like `split(key, …)[data]`, and the number may be
 * traced.
 *
 * @param data An integer scalar in `[0, 2^32)`; negative `int32` count as their bits.
 * @returns `u32[2]`
 * @throws {DTypeError} unless `data` is an integer in that range. {ShapeError} unless it is a scalar.
 * @example const stepKey = random.foldIn(key, step);
 */
export function foldIn(key: Tensor, data: TensorLike): Tensor {
  const [k0, k1] = words('foldIn', key);
  const number =
    typeof data === 'number' ? literal('random.foldIn', data, 'uint32') : operand('random.foldIn', data);
  if (!isInteger(number.dtype))
    throw new DTypeError(
      `random.foldIn: data must be an integer, but is ${showAval(number.aval)}; convert it with astype().`,
    );
  if (number.ndim !== 0)
    throw new ShapeError(
      `random.foldIn: data must be a scalar, but is ${showAval(number.aval)}; see vmap().`,
    );
  const mixed = threefry2x32(k0, k1, scalar(0, 'uint32'), convert(number, 'uint32'));
  return concatenate(
    mixed.map((w) => reshape(w, [1])),
    0,
  );
}

/**
 * 32 random bits for each element.
 * @returns `u32[…shape]`
 * @example random.bits(key, [4])
 */
export function bits(key: Tensor, shape: ShapeLike = []): Tensor {
  return xor(...twoWords('bits', key, shape));
}

/** Two words of random bits for each element, from its row-major position as the counter. */
function twoWords(op: string, key: Tensor, shape: ShapeLike): [Tensor, Tensor] {
  const target = toShape(`random.${op}`, shape);
  const [k0, k1] = words(op, key);
  return threefry2x32(k0, k1, scalar(0, 'uint32'), convert(positions(target), 'uint32'));
}

/** The row-major position of each element: int32. Made of its coordinates, so that work on the numbers is fused with it. */
function positions(shape: Shape): Tensor {
  const strides = rowMajorStrides(shape);
  const along = shape.map((extent, axis) => {
    const unit = shape.map((_, a) => (a === axis ? extent : 1));
    const stride = strides[axis] ?? 1;
    return reshape(slice(iota(extent * stride, 'int32'), [0], [extent * stride], [stride]), unit);
  });
  return along.reduce((sum, part) => add(sum, part), broadcastTo(scalar(0, 'int32'), shape));
}

/** The two words of a key. */
export function words(op: string, key: Tensor): [Tensor, Tensor] {
  const { aval } = operand(`random.${op}`, key);
  if (aval.dtype !== 'uint32' || !sameShape(aval.shape, [2])) {
    const message =
      `random.${op}: a key is u32[2], but got ${showAval(aval)}; ` +
      'make one with random.key(seed), and map over several with vmap().';
    throw aval.dtype === 'uint32' ? new ShapeError(message) : new DTypeError(message);
  }
  return [0, 1].map((i) => reshape(slice(key, [i], [i + 1], [1]), [])) as [Tensor, Tensor];
}

/** Options of {@link uniform}. */
export interface UniformOptions {
  /** Least value, 0 by default; broadcasts to the shape. */
  readonly min?: TensorLike | undefined;
  /** Bound above all values, 1 by default; broadcasts to the shape. */
  readonly max?: TensorLike | undefined;
  /** `float32` (by default, 23 random bits) or `float64` (52). */
  readonly dtype?: DType | undefined;
}

/**
 * Numbers evenly distributed in `[min, max)`.
 *
 * @throws {DTypeError} unless the dtype is a float. {ShapeError} if a bound does not broadcast to `shape`.
 * @example random.uniform(key, [2, 3], { min: -1 })
 */
export function uniform(key: Tensor, shape: ShapeLike = [], options: UniformOptions = {}): Tensor {
  checkOptions('random.uniform', options, ['min', 'max', 'dtype']);
  const { min: low = 0, max: high = 1, dtype = 'float32' } = options;
  return uniformOf('uniform', key, shape, dtype, low, high);
}

/** {@link uniform} under the name of another distribution. */
export function uniformOf(
  op: string,
  key: Tensor,
  shape: ShapeLike,
  dtype: DType,
  low: TensorLike,
  high: TensorLike,
): Tensor {
  checkFloat(op, dtype);
  const target = toShape(`random.${op}`, shape);
  const bounds = [low, high].map((b) =>
    typeof b === 'number' ? scalar(b, dtype) : convert(operand(`random.${op}`, b), dtype),
  );
  for (const bound of bounds)
    if (!sameShape(broadcastShapes(`random.${op}`, bound.shape, target), target))
      throw new ShapeError(
        `random.${op}: a bound ${showAval(bound.aval)} does not broadcast to the shape [${target}].`,
      );
  const [from, to] = bounds as [Tensor, Tensor];
  const unit =
    dtype === 'float32' ? unit32(xor(...twoWords(op, key, target))) : unit64(twoWords(op, key, target));
  return max(from, add(mul(unit, sub(to, from)), from)); // rounding may fall below `from`
}

/** [0, 1) from 23 bits: the mantissa of a number in [1, 2). */
function unit32(random: Tensor): Tensor {
  const mantissa = shr(random, scalar(9, 'uint32'));
  return sub(bitcast(or(mantissa, scalar(0x3f800000, 'uint32')), 'float32'), scalar(1, 'float32'));
}

/** [0, 1) from 52 bits: the high word and 20 bits of the low one, exactly. */
function unit64([high, low]: [Tensor, Tensor]): Tensor {
  const part = (word: Tensor, unit: number): Tensor => mul(convert(word, 'float64'), scalar(unit, 'float64'));
  return add(part(high, 2 ** -32), part(shr(low, scalar(12, 'uint32')), 2 ** -52));
}

/** The dtype of floats that are drawn. */
export interface SampleOptions {
  /** `float32` by default, or `float64`. */
  readonly dtype?: DType | undefined;
}

/**
 * Numbers of the standard normal distribution (mean 0, variance 1): `√2 erfInv(u)` for `u` uniform in `(-1, 1)`.
 *
 * @throws {DTypeError} unless the dtype is a float.
 * @example multiply(random.normal(key, [2, 3]), 0.1)
 */
export function normal(key: Tensor, shape: ShapeLike = [], options: SampleOptions = {}): Tensor {
  checkOptions('random.normal', options, ['dtype']);
  const { dtype = 'float32' } = options;
  const u = uniformOf('normal', key, shape, dtype, nextAfter(-1, 1, dtype), 1);
  return mul(scalar(Math.SQRT2, dtype), elementary.erfInv(u));
}

/**
 * Numbers of the standard normal distribution that fall into the open interval `(lower, upper)`.
 *
 * @throws {OptionError} unless `lower < upper`. {DTypeError} unless the dtype is a float.
 * @example random.truncatedNormal(key, -2, 2, [64])
 */
export function truncatedNormal(
  key: Tensor,
  lower: number,
  upper: number,
  shape: ShapeLike = [],
  options: SampleOptions = {},
): Tensor {
  checkOptions('random.truncatedNormal', options, ['dtype']);
  if (typeof lower !== 'number' || typeof upper !== 'number' || !(lower < upper))
    throw new OptionError(
      `random.truncatedNormal: needs lower < upper, but got ${show(lower)} and ${show(upper)}.`,
    );
  const { dtype = 'float32' } = options;
  checkFloat('truncatedNormal', dtype);
  const root = scalar(Math.SQRT2, dtype);
  const cut = (bound: number): Tensor =>
    elementary.erf(scalar(scalar(bound, dtype).item() / root.item(), dtype));
  const u = uniformOf('truncatedNormal', key, shape, dtype, cut(lower), cut(upper));
  const x = mul(root, elementary.erfInv(u));
  const inside = (bound: number, way: 1 | -1): Tensor =>
    scalar(nextAfter(scalar(bound, dtype).item(), way, dtype), dtype);
  return min(max(x, inside(lower, 1)), inside(upper, -1));
}

/**
 * True with probability `p`.
 *
 * @param p A number or float tensor, one half by default.
 * @param shape That of `p` by default, which must broadcast to it.
 * @returns bool
 * @throws {ShapeError} if `p` does not broadcast to `shape`.
 * @example where(random.bernoulli(key, 0.9, x.shape), divide(x, 0.9), 0)   // dropout
 */
export function bernoulli(key: Tensor, p: TensorLike = 0.5, shape?: ShapeLike): Tensor {
  const [chance] = promoteOperands('random.bernoulli', p, 0.5) as [Tensor, Tensor];
  const target = toShape('random.bernoulli', shape ?? chance.shape);
  if (!sameShape(broadcastShapes('random.bernoulli', chance.shape, target), target))
    throw new ShapeError(
      `random.bernoulli: p ${showAval(chance.aval)} does not broadcast to the shape [${target}].`,
    );
  return compare('lt', uniformOf('bernoulli', key, target, chance.dtype, 0, 1), chance);
}

/** Options of {@link randint}. */
export interface RandintOptions {
  /** Least value, 0 by default. */
  readonly min?: number | undefined;
  /** Bound above all values. */
  readonly max: number;
  /** `int32` by default, or `uint32`. */
  readonly dtype?: 'int32' | 'uint32' | undefined;
}

/**
 * Integers in `[min, max)`, each equally probable up to a part in `2^32 / (max - min)`.
 *
 * @throws {OptionError} unless `min < max` are integers within the dtype. {DTypeError} for other dtypes.
 * @example random.randint(key, [8], { max: 6 })
 */
export function randint(key: Tensor, shape: ShapeLike, options: RandintOptions): Tensor {
  checkOptions('random.randint', options, ['min', 'max', 'dtype']);
  const { min: from = 0, max: to, dtype = 'int32' } = options;
  if (dtype !== 'int32' && dtype !== 'uint32')
    throw new DTypeError(
      `random.randint: draws int32 or uint32, but got ${show(dtype)}; convert the result with astype().`,
    );
  const least = dtype === 'int32' ? -(2 ** 31) : 0;
  if (
    !Number.isInteger(from) ||
    !Number.isInteger(to) ||
    !(least <= from && from < to && to <= least + 2 ** 32)
  )
    throw new OptionError(
      `random.randint: needs integers min < max within ${dtype}, but got ${show(from)} and ${show(to)}.`,
    );
  const span = (to - from) % 2 ** 32; // 0 stands for all 2^32 values: x rem 0 is x
  const half = span === 0 ? 2 ** 16 : 2 ** 16 % span;
  const square = (half * half) % 2 ** 32;
  const [high, low] = split(key).map((k) => bits(k, shape)) as [Tensor, Tensor];
  const u32 = (n: number): Tensor => scalar(n, 'uint32');
  const modSpan = (x: Tensor): Tensor => rem(x, u32(span));
  // (2^32 high + low) mod span
  const shifted = mul(modSpan(high), u32(span === 0 ? square : square % span));
  const offset = modSpan(add(shifted, modSpan(low)));
  return add(scalar(from, dtype), convert(offset, dtype));
}

/** @throws {DTypeError} unless floats are asked for. */
export function checkFloat(op: string, dtype: DType): void {
  if (!isFloat(dtype))
    throw new DTypeError(
      `random.${op}: draws float32 or float64, but got ${dtype}; convert the result with astype().`,
    );
}

/** The next number of the dtype above (1) or below (-1) `x`. */
function nextAfter(x: number, way: 1 | -1, dtype: DType): number {
  if (x === way * Infinity || Number.isNaN(x)) return x;
  if (x === 0) return way * (dtype === 'float32' ? 2 ** -149 : Number.MIN_VALUE);
  const step = Math.sign(x) === way ? 1n : -1n; // bits grow with the magnitude
  const view = new DataView(new ArrayBuffer(8));
  if (dtype === 'float32') {
    view.setFloat32(0, x);
    view.setUint32(0, view.getUint32(0) + Number(step));
    return view.getFloat32(0);
  }
  view.setFloat64(0, x);
  view.setBigUint64(0, view.getBigUint64(0) + step);
  return view.getFloat64(0);
}
