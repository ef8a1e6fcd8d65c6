/** Reductions that pass over NaN. */
import { isFloat } from '../dtype.ts';
import * as p from '../primitives/arithmetic.ts';
import { scalar } from '../primitives/pointwise.ts';
import type { Tensor } from '../tensor.ts';
import { checkOptions } from './check.ts';
import { floatOperand, operand, type TensorLike } from './convert.ts';
import {
  type ArgOptions,
  all,
  argmax,
  argmin,
  max,
  min,
  prod,
  type ReduceOptions,
  sum,
  type VarianceOptions,
} from './reduce.ts';

const isNan = (t: Tensor): Tensor => p.compare('ne', t, t);
const replaced = (t: Tensor, by: number): Tensor =>
  isFloat(t.dtype) ? p.select(isNan(t), scalar(by, t.dtype), t) : t;

/** {@link sum} of the elements that are not NaN; 0 of none. @example nanSum(tensor([1, NaN, 3]))   // 4 */
export function nanSum(x: TensorLike, options: ReduceOptions = {}): Tensor {
  return sum(replaced(operand('nanSum', x), 0), options);
}

/** {@link prod} of the elements that are not NaN; 1 of none. @example nanProd(tensor([2, NaN, 3]))   // 6 */
export function nanProd(x: TensorLike, options: ReduceOptions = {}): Tensor {
  return prod(replaced(operand('nanProd', x), 1), options);
}

/** {@link max} of the elements that are not NaN; NaN if all are. @example nanMax(tensor([1, NaN, 3]))   // 3 */
export function nanMax(x: TensorLike, options: ReduceOptions = {}): Tensor {
  return extremum(operand('nanMax', x), options, max, -Infinity);
}

/** {@link min} of the elements that are not NaN; NaN if all are. @example nanMin(tensor([1, NaN, 3]))   // 1 */
export function nanMin(x: TensorLike, options: ReduceOptions = {}): Tensor {
  return extremum(operand('nanMin', x), options, min, Infinity);
}

function extremum(t: Tensor, options: ReduceOptions, fold: typeof max, last: number): Tensor {
  if (!isFloat(t.dtype)) return fold(t, options);
  const found = fold(replaced(t, last), options);
  return p.select(all(isNan(t), options), scalar(Number.NaN, t.dtype), found);
}

/**
 * {@link argmax} of the elements that are not NaN; -1 if all are.
 * @example nanArgmax(tensor([1, NaN, 3]))                // 2
 */
export function nanArgmax(x: TensorLike, options: ArgOptions = {}): Tensor {
  checkOptions('nanArgmax', options, ['axis', 'keepdims']);
  return position(operand('nanArgmax', x), options, argmax, -Infinity);
}

/**
 * {@link argmin} of the elements that are not NaN; -1 if all are.
 * @example nanArgmin(tensor([1, NaN, 3]))                // 0
 */
export function nanArgmin(x: TensorLike, options: ArgOptions = {}): Tensor {
  checkOptions('nanArgmin', options, ['axis', 'keepdims']);
  return position(operand('nanArgmin', x), options, argmin, Infinity);
}

function position(t: Tensor, options: ArgOptions, find: typeof argmax, last: number): Tensor {
  const found = find(replaced(t, last), options);
  return isFloat(t.dtype) ? p.select(all(isNan(t), options), scalar(-1, 'int32'), found) : found;
}

/** {@link mean} of the elements that are not NaN; NaN if all are. @example nanMean(tensor([1, NaN, 3]))   // 2 */
export function nanMean(x: TensorLike, options: ReduceOptions = {}): Tensor {
  checkOptions('nanMean', options, ['axis', 'keepdims']);
  return meanOf(floatOperand('nanMean', x), options);
}

const countOf = (t: Tensor, options: ReduceOptions): Tensor =>
  p.convert(sum(p.elementary.not(isNan(t)), options), t.dtype);

const meanOf = (t: Tensor, options: ReduceOptions): Tensor =>
  p.div(sum(replaced(t, 0), options), countOf(t, options));

/**
 * {@link variance} of the elements that are not NaN; NaN unless there are more than `ddof`.
 * @example nanVariance(tensor([1, NaN, 3]))              // 1
 */
export function nanVariance(x: TensorLike, options: VarianceOptions = {}): Tensor {
  checkOptions('nanVariance', options, ['axis', 'keepdims', 'ddof']);
  return varianceOf(floatOperand('nanVariance', x), options);
}

function varianceOf(t: Tensor, { ddof = 0, ...options }: VarianceOptions): Tensor {
  const zero = scalar(0, t.dtype);
  const distance = p.sub(replaced(t, 0), meanOf(t, { ...options, keepdims: true }));
  const centred = p.select(isNan(t), zero, distance); // NaN stays out of the derivative, too
  const squares = sum(p.mul(centred, centred), options);
  return p.div(squares, p.max(p.sub(countOf(t, options), scalar(ddof, t.dtype)), zero));
}

/**
 * {@link std} of the elements that are not NaN; NaN unless there are more than `ddof`. Where it is 0, so is its derivative.
 * @example nanStd(tensor([1, NaN, 3]))                   // 1
 */
export function nanStd(x: TensorLike, options: VarianceOptions = {}): Tensor {
  checkOptions('nanStd', options, ['axis', 'keepdims', 'ddof']);
  const v = varianceOf(floatOperand('nanStd', x), options);
  const isZero = p.compare('eq', v, scalar(0, v.dtype));
  const root = p.elementary.sqrt(p.select(isZero, scalar(1, v.dtype), v));
  return p.select(isZero, scalar(0, v.dtype), root);
}
