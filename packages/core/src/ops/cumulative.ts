/** Running folds along an axis. */
import { isFloat } from '../dtype.ts';
import * as p from '../primitives/arithmetic.ts';
import * as c from '../primitives/cumulative.ts';
import { gather } from '../primitives/gather.ts';
import { iota, pad, reshape, stop } from '../primitives/movement.ts';
import { scalar } from '../primitives/pointwise.ts';
import { resolveAxis, sizeOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { checkOptions } from './check.ts';
import { floatOperand, operand, type TensorLike } from './convert.ts';

/** Options of {@link cumsum} and its kin. */
export interface CumulativeOptions {
  /** Along which axis; by default `x` is flattened first. */
  readonly axis?: number | undefined;
  /** From the end to the start. */
  readonly reverse?: boolean | undefined;
}

/** Applies `f` to `x` as `[outer, n, inner]`. */
function along(
  op: string,
  x: Tensor,
  options: CumulativeOptions,
  f: (t: Tensor, reverse: boolean) => Tensor,
): Tensor {
  checkOptions(op, options, ['axis', 'reverse']);
  const t = options.axis === undefined ? reshape(x, [x.size]) : x;
  const axis = resolveAxis(op, options.axis ?? 0, t.ndim);
  const [before, [n = 0, ...after]] = [t.shape.slice(0, axis), t.shape.slice(axis)];
  const result = f(reshape(t, [sizeOf(before), n, sizeOf(after)]), options.reverse ?? false);
  return reshape(result, t.shape);
}

const wide = (x: Tensor): Tensor => (x.dtype === 'bool' || x.dtype === 'uint8' ? p.convert(x, 'int32') : x);

/**
 * Running sums. Floats are added in float64.
 * @returns The shape of `x`; bool and `uint8` are counted in `int32`, which wraps.
 * @throws {ShapeError} if the axis is out of range.
 * @example cumsum(tensor([1, 2, 3]))                    // [1, 3, 6]
 */
export function cumsum(x: TensorLike, options: CumulativeOptions = {}): Tensor {
  return along('cumsum', wide(operand('cumsum', x)), options, c.cumsum);
}

/**
 * Running products. The derivative is exact also where elements are 0.
 * @returns The shape of `x`; bool and `uint8` become `int32`, which wraps.
 * @throws {ShapeError} if the axis is out of range.
 * @example cumprod(tensor([1, 2, 3]))                   // [1, 2, 6]
 */
export function cumprod(x: TensorLike, options: CumulativeOptions = {}): Tensor {
  return along('cumprod', wide(operand('cumprod', x)), options, (t, reverse) =>
    c.recurrence(t, p.select(isFirst(t, reverse), t, scalar(0, t.dtype)), reverse),
  );
}

/** bool[n, 1]: which row is the first of the fold. */
function isFirst({ shape }: Tensor, reverse: boolean): Tensor {
  const n = shape[1] as number;
  return reshape(p.compare('eq', iota(n, 'int32'), scalar(reverse ? n - 1 : 0, 'int32')), [n, 1]);
}

/**
 * The greatest element so far; NaN from the first NaN on. The first of equal elements has the whole derivative.
 * @returns The shape and dtype of `x`.
 * @throws {ShapeError} if the axis is out of range.
 * @example cummax(tensor([1, 3, 2]))                    // [1, 3, 3]
 */
export function cummax(x: TensorLike, options: CumulativeOptions = {}): Tensor {
  return along('cummax', operand('cummax', x), options, (t, reverse) => extreme('max', t, reverse));
}

/**
 * The smallest element so far; NaN from the first NaN on. The first of equal elements has the whole derivative.
 * @returns The shape and dtype of `x`.
 * @throws {ShapeError} if the axis is out of range.
 * @example cummin(tensor([2, 3, 1]))                    // [2, 2, 1]
 */
export function cummin(x: TensorLike, options: CumulativeOptions = {}): Tensor {
  return along('cummin', operand('cummin', x), options, (t, reverse) => extreme('min', t, reverse));
}

/** The elements at the positions of the extremes. */
function extreme(op: 'max' | 'min', t: Tensor, reverse: boolean): Tensor {
  const [outer, n, inner] = t.shape as [number, number, number];
  const along = (extent: number, unit: number, shape: number[]): Tensor =>
    reshape(p.mul(iota(extent, 'int32'), scalar(unit, 'int32')), shape);
  const row = p.mul(c.cumulativeArg(op, stop(t), reverse), scalar(inner, 'int32'));
  const place = p.add(p.add(row, along(outer, n * inner, [outer, 1, 1])), along(inner, 1, [inner]));
  const extents = { outer: 1, rows: t.size, count: t.size, inner: 1 };
  return reshape(gather(reshape(t, [1, t.size, 1]), reshape(place, [t.size]), extents), t.shape);
}

/**
 * Running `log(sum(e ** x))`, without overflow.
 * @returns The shape of `x`; integers become `float32`.
 * @throws {ShapeError} if the axis is out of range.
 * @example cumLogSumExp(tensor([1000, 1000]))           // [1000, 1000.693]
 */
export function cumLogSumExp(x: TensorLike, options: CumulativeOptions = {}): Tensor {
  return along('cumLogSumExp', floatOperand('cumLogSumExp', x), options, logSums);
}

/** Sums relative to the greatest element so far: when that grows, what was summed before shrinks. */
function logSums(t: Tensor, reverse: boolean): Tensor {
  const [zero, one] = [scalar(0, t.dtype), scalar(1, t.dtype)];
  const greatest = extreme('max', stop(t), reverse);
  const finite = (m: Tensor): Tensor => p.compare('lt', p.elementary.abs(m), scalar(Infinity, t.dtype));
  const shift = p.select(finite(greatest), greatest, zero);
  const [low, high] = reverse ? [-1, 1] : [1, -1];
  const before = pad(shift, [0, low, 0], [0, high, 0], [0, 0, 0]);
  const wasFinite = pad(finite(greatest), [0, low, 0], [0, high, 0], [0, 0, 0]);
  const shrink = p.select(wasFinite, p.elementary.exp(p.sub(before, shift)), zero);
  const sums = c.recurrence(shrink, p.elementary.exp(p.sub(t, shift)), reverse);
  const none = p.compare('eq', sums, zero); // nothing but -inf so far
  const logs = p.add(p.elementary.log(p.select(none, one, sums)), shift);
  return p.select(none, scalar(-Infinity, t.dtype), logs);
}

/** Running sums in which NaN counts as 0. @example nanCumsum(tensor([1, NaN, 3]))   // [1, 1, 4] */
export function nanCumsum(x: TensorLike, options: CumulativeOptions = {}): Tensor {
  return cumsum(replaced(operand('nanCumsum', x), 0), options);
}

/** Running products in which NaN counts as 1. @example nanCumprod(tensor([2, NaN, 3]))   // [2, 2, 6] */
export function nanCumprod(x: TensorLike, options: CumulativeOptions = {}): Tensor {
  return cumprod(replaced(operand('nanCumprod', x), 1), options);
}

const replaced = (t: Tensor, by: number): Tensor =>
  isFloat(t.dtype) ? p.select(p.compare('ne', t, t), scalar(by, t.dtype), t) : t;
