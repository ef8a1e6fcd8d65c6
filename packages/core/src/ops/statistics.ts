/** Order statistics, weighted means, covariances. */
import { showAval } from '../aval.ts';
import { OptionError, ShapeError } from '../errors.ts';
import * as p from '../primitives/arithmetic.ts';
import * as m from '../primitives/movement.ts';
import { scalar } from '../primitives/pointwise.ts';
import { resolveAxes, sizeOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { clip } from './arithmetic.ts';
import { checkOptions, show } from './check.ts';
import { floatOperand, numericOperand, operand, placed, type TensorLike } from './convert.ts';
import { diagonal } from './diagonal.ts';
import { pickAlong } from './indexing.ts';
import { matmul } from './linalg.ts';
import { max, mean, min, type ReduceOptions, sum } from './reduce.ts';
import { broadcastTo, expandDims, transpose } from './shape.ts';
import { sort } from './sort.ts';

/** How {@link quantile} chooses between the two elements that a quantile lies between. */
export type QuantileMethod = 'linear' | 'lower' | 'higher' | 'midpoint' | 'nearest';

/** Options of {@link quantile} and {@link percentile}. */
export interface QuantileOptions extends ReduceOptions {
  /** `linear` by default: the point between the two elements in proportion. */
  readonly method?: QuantileMethod | undefined;
}

const methods: readonly QuantileMethod[] = ['linear', 'lower', 'higher', 'midpoint', 'nearest'];

/**
 * The elements below which given parts of all elements lie; NaN if any element is NaN.
 *
 * @param q In `[0, 1]`: a number, an array of numbers, or a tensor with at most one axis.
 * @returns `x` without the folded axes, with the axis of `q` in front; integers become `float32`.
 * @throws {ShapeError} if there is no element, or an axis is out of range. {OptionError} for a `q` outside of `[0, 1]`.
 * @example quantile(tensor([1, 2, 3, 4]), [0.5, 1])     // [2.5, 4]
 */
export function quantile(
  x: TensorLike,
  q: number | readonly number[] | Tensor,
  options: QuantileOptions = {},
): Tensor {
  return quantileOf('quantile', x, q, 1, options, false);
}

/**
 * {@link quantile} by percents.
 * @param q In `[0, 100]`.
 * @throws {ShapeError} if there is no element, or an axis is out of range. {OptionError} for a `q` outside of `[0, 100]`.
 * @example percentile(tensor([1, 2, 3, 4]), 50)         // 2.5
 */
export function percentile(
  x: TensorLike,
  q: number | readonly number[] | Tensor,
  options: QuantileOptions = {},
): Tensor {
  return quantileOf('percentile', x, q, 100, options, false);
}

/**
 * The element in the middle of the order, or the mean of the two there; NaN if any element is NaN.
 * @returns `x` without the folded axes; integers become `float32`.
 * @throws {ShapeError} if there is no element, or an axis is out of range or named twice.
 * @example median(tensor([3, 1, 2, 10]))                // 2.5
 */
export function median(x: TensorLike, options: ReduceOptions = {}): Tensor {
  checkOptions('median', options, ['axis', 'keepdims']);
  return quantileOf('median', x, 0.5, 1, options, false);
}

/** {@link quantile} of the elements that are not NaN; NaN if there is none. @example nanQuantile(tensor([1, NaN, 3]), 0.5)   // 2 */
export function nanQuantile(
  x: TensorLike,
  q: number | readonly number[] | Tensor,
  options: QuantileOptions = {},
): Tensor {
  return quantileOf('nanQuantile', x, q, 1, options, true);
}

/** {@link percentile} of the elements that are not NaN; NaN if there is none. @example nanPercentile(tensor([1, NaN, 3]), 50)   // 2 */
export function nanPercentile(
  x: TensorLike,
  q: number | readonly number[] | Tensor,
  options: QuantileOptions = {},
): Tensor {
  return quantileOf('nanPercentile', x, q, 100, options, true);
}

/** {@link median} of the elements that are not NaN; NaN if there is none. @example nanMedian(tensor([1, NaN, 3]))   // 2 */
export function nanMedian(x: TensorLike, options: ReduceOptions = {}): Tensor {
  checkOptions('nanMedian', options, ['axis', 'keepdims']);
  return quantileOf('nanMedian', x, 0.5, 1, options, true);
}

function quantileOf(
  op: string,
  x: TensorLike,
  q: number | readonly number[] | Tensor,
  whole: number,
  options: QuantileOptions,
  skipsNan: boolean,
): Tensor {
  checkOptions(op, options, ['axis', 'keepdims', 'method']);
  const { method = 'linear', keepdims = false } = options;
  if (!methods.includes(method))
    throw new OptionError(`${op}: method is one of ${methods.join(', ')}, but got ${show(method)}.`);
  const t = floatOperand(op, x);
  const axes = resolveAxes(op, options.axis, t.ndim);
  const rest = t.shape.map((_, i) => i).filter((i) => !axes.includes(i));
  const n = sizeOf(axes.map((i) => t.shape[i] as number));
  if (n === 0)
    throw new ShapeError(`${op}: needs at least one element, but ${showAval(t.aval)} has none there.`);
  const lead = rest.map((i) => t.shape[i] as number);
  const lanes = m.reshape(m.transpose(t, [...rest, ...axes]), [...lead, n]);
  const sorted = sort(lanes);
  const parts = partsOf(op, q, whole, t);
  const count = parts.size;
  // NaN is last: how many elements count, and whether all do.
  const isNan = p.compare('ne', sorted, sorted);
  const numbers = sum(p.elementary.not(isNan), { axis: -1, keepdims: true }); // [..., 1]
  const top = skipsNan
    ? clip(p.sub(p.convert(numbers, t.dtype), scalar(1, t.dtype)), { min: 0 })
    : scalar(n - 1, t.dtype);
  const place = broadcastTo(p.mul(m.reshape(parts, [count]), m.stop(top)), [...lead, count]);
  const at = (position: Tensor): Tensor =>
    pickAlong(op, sorted, p.convert(m.stop(position), 'int32'), lanes.ndim - 1, true);
  const [low, high] = [p.elementary.floor(place), p.elementary.ceil(place)];
  let result: Tensor;
  if (method === 'lower') result = at(low);
  else if (method === 'higher') result = at(high);
  else if (method === 'nearest') result = at(p.elementary.round(place));
  else {
    const weight = method === 'midpoint' ? scalar(0.5, t.dtype) : p.sub(place, low);
    const [a, b] = [at(low), at(high)];
    const between = p.add(p.mul(a, p.sub(scalar(1, t.dtype), weight)), p.mul(b, weight));
    result = p.select(p.compare('eq', a, b), a, between); // also for two infinities
  }
  const total = scalar(n, 'int32');
  const spoiled = skipsNan ? p.compare('eq', numbers, scalar(0, 'int32')) : p.compare('lt', numbers, total);
  const values = m.moveAxis(p.select(spoiled, scalar(Number.NaN, t.dtype), result), lead.length, 0);
  const kept = keepdims ? t.shape.map((extent, i) => (axes.includes(i) ? 1 : extent)) : lead;
  return m.reshape(values, [...(parts.ndim === 1 ? [count] : []), ...kept]);
}

function partsOf(op: string, q: number | readonly number[] | Tensor, whole: number, x: Tensor): Tensor {
  if (typeof q === 'number' || Array.isArray(q)) {
    const numbers = typeof q === 'number' ? [q] : (q as readonly number[]);
    const bad = numbers.findIndex((part) => !(typeof part === 'number' && part >= 0 && part <= whole));
    if (bad >= 0) throw new OptionError(`${op}: q lies in [0, ${whole}], but is ${show(numbers[bad])}.`);
    return placed(
      x.dtype,
      typeof q === 'number' ? [] : [numbers.length],
      numbers.map((part) => part / whole),
    );
  }
  const t = operand(op, q as Tensor);
  if (t.ndim > 1) throw new ShapeError(`${op}: q has at most one axis, but is ${showAval(t.aval)}.`);
  return p.div(p.convert(t, x.dtype), scalar(whole, x.dtype));
}

/**
 * The distance from the smallest to the greatest element.
 * @returns `x` without the folded axes.
 * @throws {ShapeError} if there is no element, or an axis is out of range or named twice.
 * @example ptp(tensor([3, 1, 7]))                       // 6
 */
export function ptp(x: TensorLike, options: ReduceOptions = {}): Tensor {
  checkOptions('ptp', options, ['axis', 'keepdims']);
  const t = numericOperand('ptp', x);
  return p.sub(max(t, options), min(t, options));
}

/**
 * How many elements are not 0.
 * @returns int32, `x` without the folded axes.
 * @throws {ShapeError} if an axis is out of range or named twice.
 * @example countNonzero(tensor([0, 1, 2]))              // 2
 */
export function countNonzero(x: TensorLike, options: ReduceOptions = {}): Tensor {
  checkOptions('countNonzero', options, ['axis', 'keepdims']);
  return sum(p.convert(operand('countNonzero', x), 'bool'), options);
}

/**
 * The mean, or the weighted mean: `sum(weights x) / sum(weights)`.
 *
 * @param options.weights Of the shape of `x`, or a vector along the only folded axis; equal by default.
 * @returns `x` without the folded axes; integers become `float32`.
 * @throws {ShapeError} if the weights do not fit, or an axis is out of range or named twice.
 * @example average(tensor([1, 2]), { weights: tensor([3, 1]) })   // 1.25
 */
export function average(
  x: TensorLike,
  options: ReduceOptions & { readonly weights?: TensorLike | undefined } = {},
): Tensor {
  checkOptions('average', options, ['axis', 'keepdims', 'weights']);
  const { weights, ...fold } = options;
  if (weights === undefined) return mean(x, fold);
  const t = floatOperand('average', x);
  const w = p.convert(operand('average', weights), t.dtype);
  const axes = resolveAxes('average', fold.axis, t.ndim);
  const vector = w.ndim === 1 && axes.length === 1 && w.size === t.shape[axes[0] as number];
  if (!vector && String(w.shape) !== String(t.shape))
    throw new ShapeError(
      `average: weights have the shape of x, or that of its only folded axis, but are ${showAval(w.aval)} for ${showAval(t.aval)}.`,
    );
  const full = vector
    ? m.reshape(
        w,
        t.shape.map((n, i) => (i === axes[0] ? n : 1)),
      )
    : w;
  return p.div(sum(p.mul(t, full), fold), sum(broadcastTo(full, t.shape), fold));
}

/**
 * The covariances of variables, unbiased by default.
 *
 * @param x `[variables, observations]`, or the observations of one variable.
 * @param options.rowvar Whether rows are variables; else columns are. `true` by default.
 * @param options.ddof Divides by `n - ddof`; 1 by default.
 * @returns `[variables, variables]`, a scalar for a vector.
 * @throws {ShapeError} for more than two axes.
 * @example cov(tensor([[1, 2, 3], [3, 2, 1]]))          // [[1, -1], [-1, 1]]
 */
export function cov(
  x: TensorLike,
  options: { readonly rowvar?: boolean | undefined; readonly ddof?: number | undefined } = {},
): Tensor {
  checkOptions('cov', options, ['rowvar', 'ddof']);
  return covariance('cov', x, options.rowvar ?? true, options.ddof ?? 1);
}

function covariance(op: string, x: TensorLike, rowvar: boolean, ddof: number): Tensor {
  const t = floatOperand(op, x);
  if (t.ndim > 2 || t.ndim === 0)
    throw new ShapeError(`${op}: x is [variables, observations], or a vector, but is ${showAval(t.aval)}.`);
  const rows = t.ndim === 1 ? expandDims(t, 0) : rowvar ? t : transpose(t);
  const centred = p.sub(rows, mean(rows, { axis: 1, keepdims: true }));
  const degrees = scalar((rows.shape[1] as number) - ddof, t.dtype);
  const products = p.div(matmul(centred, transpose(centred)), degrees);
  return t.ndim === 1 ? m.reshape(products, []) : products;
}

/**
 * The correlation coefficients of variables, in `[-1, 1]`.
 *
 * @param x `[variables, observations]`, or the observations of one variable.
 * @param options.rowvar Whether rows are variables; else columns are. `true` by default.
 * @throws {ShapeError} for more than two axes.
 * @example corrcoef(tensor([[1, 2, 3], [3, 2, 1]]))     // [[1, -1], [-1, 1]]
 */
export function corrcoef(x: TensorLike, options: { readonly rowvar?: boolean | undefined } = {}): Tensor {
  checkOptions('corrcoef', options, ['rowvar']);
  const c = covariance('corrcoef', x, options.rowvar ?? true, 1);
  if (c.ndim === 0) return p.div(c, c);
  const deviation = p.elementary.sqrt(diagonal(c));
  const scaled = p.div(p.div(c, expandDims(deviation, 1)), expandDims(deviation, 0));
  return clip(scaled, { min: -1, max: 1 });
}
