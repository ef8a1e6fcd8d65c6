/** Operations that fold axes away. */

import { showAval } from '../aval.ts';
import { ShapeError } from '../errors.ts';
import * as p from '../primitives/arithmetic.ts';
import { broadcastTo, reshape, stop } from '../primitives/movement.ts';
import { scalar } from '../primitives/pointwise.ts';
import * as r from '../primitives/reduce.ts';
import { resolveAxes, resolveAxis } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { checkOptions } from './check.ts';
import { floatOperand, operand, type TensorLike } from './convert.ts';

/** Options of reductions. */
export interface ReduceOptions {
  /** The axis or axes to fold; negative ones count from the end. All by default. */
  readonly axis?: number | readonly number[] | undefined;
  /** Keeps the folded axes, with extent 1. */
  readonly keepdims?: boolean | undefined;
}

/** Options of {@link argmax} and {@link argmin}. */
export interface ArgOptions {
  /** The axis to search. By default all, as if flattened. */
  readonly axis?: number | undefined;
  readonly keepdims?: boolean | undefined;
}

/** Options of {@link variance} and {@link std}. */
export interface VarianceOptions extends ReduceOptions {
  /** Divides by `n - ddof`: 0 for the variance of the data, 1 for the unbiased estimate. 0 by default. */
  readonly ddof?: number | undefined;
}

/** One reduction: what is folded, over which axes, and how the result gets its shape. */
interface Fold {
  readonly x: Tensor;
  readonly axes: readonly number[];
  /** Number of elements that are folded into one. */
  readonly count: number;
  readonly kept: readonly number[];
  readonly finish: (y: Tensor) => Tensor;
}

function fold(op: string, x: Tensor, options: ReduceOptions, more: readonly string[] = []): Fold {
  checkOptions(op, options, ['axis', 'keepdims', ...more]);
  const axes = resolveAxes(op, options.axis, x.ndim);
  const kept = x.shape.map((n, i) => (axes.includes(i) ? 1 : n));
  const count = axes.reduce((n, axis) => n * (x.shape[axis] as number), 1);
  return { x, axes, count, kept, finish: (y) => (options.keepdims ? reshape(y, kept) : y) };
}

const small = (x: Tensor): Tensor => (x.dtype === 'bool' || x.dtype === 'uint8' ? p.convert(x, 'int32') : x);

/**
 * The sum of the elements; 0 of none.
 * @returns `x` without the folded axes; bool and `uint8` are counted in `int32`, `int32` wraps.
 * @throws {ShapeError} if an axis is out of range or named twice.
 * @example sum(tensor([[1, 2], [3, 4]]), { axis: 0 })   // [4, 6]
 */
export function sum(x: TensorLike, options: ReduceOptions = {}): Tensor {
  const f = fold('sum', small(operand('sum', x)), options);
  return f.finish(r.reduceSum(f.x, f.axes));
}

/**
 * The product of the elements; 1 of none. Its derivative is exact also where elements are 0.
 * @returns `x` without the folded axes; bool and `uint8` become `int32`, `int32` wraps.
 * @throws {ShapeError} if an axis is out of range or named twice.
 * @example prod(tensor([2, 3, 4]))                      // 24
 */
export function prod(x: TensorLike, options: ReduceOptions = {}): Tensor {
  const f = fold('prod', small(operand('prod', x)), options);
  return f.axes.length === 0 ? f.x : f.finish(r.reduceProd(f.x, f.axes));
}

/**
 * The mean of the elements; NaN of none.
 * @returns `x` without the folded axes; integers become `float32`.
 * @throws {ShapeError} if an axis is out of range or named twice.
 * @example mean(tensor([[1, 2], [3, 4]]), { axis: 1 })  // [1.5, 3.5]
 */
export function mean(x: TensorLike, options: ReduceOptions = {}): Tensor {
  const f = fold('mean', floatOperand('mean', x), options);
  return f.finish(meanOf(f));
}

const meanOf = ({ x, axes, count }: Fold): Tensor => p.div(r.reduceSum(x, axes), scalar(count, x.dtype));

/**
 * The greatest element; NaN if any is NaN. Equal greatest elements share the derivative.
 * @returns `x` without the folded axes; of bools, whether any is true.
 * @throws {ShapeError} if there is no element to choose, or an axis is out of range or named twice.
 * @example max(tensor([[1, 5], [3, 4]]), { axis: 0 })   // [3, 5]
 */
export function max(x: TensorLike, options: ReduceOptions = {}): Tensor {
  return extremum('max', x, options, r.reduceMax);
}

/**
 * The smallest element; NaN if any is NaN. Equal smallest elements share the derivative.
 * @returns `x` without the folded axes; of bools, whether all are true.
 * @throws {ShapeError} if there is no element to choose, or an axis is out of range or named twice.
 * @example min(tensor([[1, 5], [3, 4]]), { axis: 0 })   // [1, 4]
 */
export function min(x: TensorLike, options: ReduceOptions = {}): Tensor {
  return extremum('min', x, options, r.reduceMin);
}

function extremum(op: string, x: TensorLike, options: ReduceOptions, reduce: typeof r.reduceMax): Tensor {
  const f = fold(op, operand(op, x), options);
  refuseEmpty(op, f);
  return f.axes.length === 0 ? f.x : f.finish(reduce(f.x, f.axes));
}

function refuseEmpty(op: string, { x, axes, count }: Fold): void {
  if (count === 0)
    throw new ShapeError(
      `${op}: needs at least one element, but ${showAval(x.aval)} has none along ` +
        `${axes.length === 1 ? `axis ${axes[0]}` : `axes ${axes.join(', ')}`}.`,
    );
}

/**
 * The position of the first greatest element, or of the first NaN.
 * @returns int32, `x` without `axis`; without `axis`, a scalar: the position in row-major order.
 * @throws {ShapeError} if there is no element to choose, or the axis is out of range.
 * @example argmax(tensor([[1, 5], [3, 4]]), { axis: 1 })   // [1, 1]
 */
export function argmax(x: TensorLike, options: ArgOptions = {}): Tensor {
  return position('argmax', x, options, r.argmax);
}

/**
 * The position of the first smallest element, or of the first NaN.
 * @returns int32, `x` without `axis`; without `axis`, a scalar: the position in row-major order.
 * @throws {ShapeError} if there is no element to choose, or the axis is out of range.
 * @example argmin(tensor([[1, 5], [3, 4]]), { axis: 1 })   // [0, 0]
 */
export function argmin(x: TensorLike, options: ArgOptions = {}): Tensor {
  return position('argmin', x, options, r.argmin);
}

function position(op: string, x: TensorLike, options: ArgOptions, find: typeof r.argmax): Tensor {
  checkOptions(op, options, ['axis', 'keepdims']);
  const t = small(operand(op, x));
  if (options.axis !== undefined) resolveAxis(op, options.axis, t.ndim);
  const f = fold(op, t, options);
  refuseEmpty(op, f);
  return f.axes.length === 0 ? scalar(0, 'int32') : f.finish(find(f.x, f.axes));
}

/**
 * Whether any element holds; false of none. A number holds unless it is 0.
 * @returns bool, `x` without the folded axes.
 * @throws {ShapeError} if an axis is out of range or named twice.
 * @example any(tensor([false, true]))                   // true
 */
export function any(x: TensorLike, options: ReduceOptions = {}): Tensor {
  const f = fold('any', p.convert(operand('any', x), 'bool'), options);
  return f.axes.length === 0 ? f.x : f.finish(r.reduceMax(f.x, f.axes));
}

/**
 * Whether all elements hold; true of none. A number holds unless it is 0.
 * @returns bool, `x` without the folded axes.
 * @throws {ShapeError} if an axis is out of range or named twice.
 * @example all(tensor([false, true]))                   // false
 */
export function all(x: TensorLike, options: ReduceOptions = {}): Tensor {
  const f = fold('all', p.convert(operand('all', x), 'bool'), options);
  return f.axes.length === 0 ? f.x : f.finish(r.reduceMin(f.x, f.axes));
}

/**
 * The variance: the mean of the squared distances from the mean, or `sum / (n - ddof)`. NumPy's `var`.
 * @returns `x` without the folded axes; integers become `float32`. NaN unless `n > ddof`.
 * @throws {ShapeError} if an axis is out of range or named twice.
 * @example variance(tensor([1, 2, 3]), { ddof: 1 })     // 1
 */
export function variance(x: TensorLike, options: VarianceOptions = {}): Tensor {
  const f = fold('variance', floatOperand('variance', x), options, ['ddof']);
  return f.finish(varianceOf(f, options.ddof ?? 0));
}

function varianceOf(f: Fold, ddof: number): Tensor {
  const centred = p.sub(f.x, reshape(meanOf(f), f.kept));
  const degrees = scalar(Math.max(0, f.count - ddof), f.x.dtype);
  return p.div(r.reduceSum(p.mul(centred, centred), f.axes), degrees);
}

/**
 * The standard deviation: the square root of {@link variance}. Where it is 0, so is its derivative.
 * @returns `x` without the folded axes; integers become `float32`. NaN unless `n > ddof`.
 * @throws {ShapeError} if an axis is out of range or named twice.
 * @example std(tensor([1, 3]))                          // 1
 */
export function std(x: TensorLike, options: VarianceOptions = {}): Tensor {
  const f = fold('std', floatOperand('std', x), options, ['ddof']);
  return f.finish(sqrtOrZero(varianceOf(f, options.ddof ?? 0)));
}

/** The square root, with derivative 0 at 0. */
function sqrtOrZero(x: Tensor): Tensor {
  const [zero, one] = [scalar(0, x.dtype), scalar(1, x.dtype)];
  const isZero = p.compare('eq', x, zero);
  return p.select(isZero, zero, p.elementary.sqrt(p.select(isZero, one, x)));
}

/**
 * `sqrt(sum(x²))`, the Euclidean length; its derivative at 0 is 0.
 * @returns `x` without the folded axes; integers become `float32`.
 * @throws {ShapeError} if an axis is out of range or named twice.
 * @example norm(tensor([3, 4]))                         // 5
 */
export function norm(x: TensorLike, options: ReduceOptions = {}): Tensor {
  const f = fold('norm', floatOperand('norm', x), options);
  return f.finish(sqrtOrZero(r.reduceSum(p.mul(f.x, f.x), f.axes)));
}

/**
 * `log(sum(e ** x))`, without overflow. -inf where all elements are -inf, with derivative 0 there, and of no elements.
 * @returns `x` without the folded axes; integers become `float32`.
 * @throws {ShapeError} if an axis is out of range or named twice.
 * @example logSumExp(tensor([1000, 1000]))              // 1000.693
 */
export function logSumExp(x: TensorLike, options: ReduceOptions = {}): Tensor {
  const f = fold('logSumExp', floatOperand('logSumExp', x), options);
  const { dtype } = f.x;
  const [zero, one, lowest] = [scalar(0, dtype), scalar(1, dtype), scalar(-Infinity, dtype)];
  if (f.count === 0)
    return f.finish(
      broadcastTo(
        lowest,
        f.x.shape.filter((_, i) => !f.axes.includes(i)),
      ),
    );
  const greatest = f.axes.length === 0 ? stop(f.x) : r.reduceMax(stop(f.x), f.axes);
  const finite = p.compare('lt', p.elementary.abs(greatest), scalar(Infinity, dtype));
  const shift = p.select(finite, greatest, zero); // an infinite or NaN maximum needs none
  const total = r.reduceSum(p.elementary.exp(p.sub(f.x, reshape(shift, f.kept))), f.axes);
  const none = p.compare('eq', total, zero); // all are -inf
  return f.finish(p.select(none, lowest, p.add(p.elementary.log(p.select(none, one, total)), shift)));
}
