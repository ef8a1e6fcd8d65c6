/** Pooling: folds over windows that slide along the spatial axes of `x[N, …, C]`. */
import { showAval } from '../aval.ts';
import { isFloat } from '../dtype.ts';
import { ShapeError } from '../errors.ts';
import type { WindowGeometry } from '../ir/kernel.ts';
import { div, elementary, neg } from '../primitives/arithmetic.ts';
import { broadcastTo } from '../primitives/movement.ts';
import { scalar } from '../primitives/pointwise.ts';
import { windowMax as maxPrimitive, windowSum as sumPrimitive } from '../primitives/window.ts';
import { sizeOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { checkOptions, perAxis } from './check.ts';
import { floatOperand, numericOperand } from './convert.ts';
import { type Padding, slide, spatialNames } from './geometry.ts';

/**
 * Options of {@link windowMax}, {@link windowMin}, {@link windowSum} and {@link windowMean}; a number stands for all spatial axes.
 */
export interface WindowOptions {
  /** Extents of the window. */
  readonly window: number | readonly number[];
  /** Distance of windows; by default that of the window, so that they do not overlap. */
  readonly stride?: number | readonly number[] | undefined;
  /** `valid` by default. */
  readonly padding?: Padding | undefined;
  /** Distance of the elements within a window, 1 by default. */
  readonly dilation?: number | readonly number[] | undefined;
}

/**
 * The greatest element of each window; padding is never it (a window of nothing but padding gives -inf, or the least
 * integer). The first of several greatest elements has the whole derivative.
 *
 * @param x `[N, W, C]`, `[N, H, W, C]` or `[N, D, H, W, C]`.
 * @throws {ShapeError} for other ranks, or if the window does not fit. {OptionError} for bad options.
 * @example windowMax(ones([1, 4, 4, 3]), { window: 2 })       // [1,2,2,3]
 */
export function windowMax(x: Tensor, options: WindowOptions): Tensor {
  const t = numericOperand('windowMax', x);
  return maxPrimitive(geometry('windowMax', t, options), t);
}

/**
 * The least element of each window; padding is never it (a window of nothing but padding gives inf, or the greatest
 * integer). The first of several least elements has the whole derivative.
 *
 * @param x `[N, W, C]`, `[N, H, W, C]` or `[N, D, H, W, C]`.
 * @throws {ShapeError} for other ranks, or if the window does not fit. {OptionError} for bad options.
 * @example windowMin(ones([1, 4, 4, 3]), { window: 2 })       // [1,2,2,3]
 */
export function windowMin(x: Tensor, options: WindowOptions): Tensor {
  const t = numericOperand('windowMin', x);
  // Both turn the order around, and are their own inverses: -x has no int32 for the least one.
  const turn = isFloat(t.dtype) ? neg : elementary.not;
  return turn(maxPrimitive(geometry('windowMin', t, options), turn(t)));
}

/**
 * The sum of each window; padding counts as 0.
 *
 * @param x `[N, W, C]`, `[N, H, W, C]` or `[N, D, H, W, C]`.
 * @throws {ShapeError} for other ranks, or if the window does not fit. {OptionError} for bad options.
 * @example windowSum(ones([1, 4, 4, 3]), { window: 2 })       // fours, [1,2,2,3]
 */
export function windowSum(x: Tensor, options: WindowOptions): Tensor {
  const t = numericOperand('windowSum', x);
  return sumPrimitive('y', geometry('windowSum', t, options), t);
}

/** Options of {@link windowMean}. */
export interface WindowMeanOptions extends WindowOptions {
  /** Whether padding counts, as zeros; false by default. */
  readonly countPadding?: boolean | undefined;
}

/**
 * The mean of each window over the elements that exist: unless `countPadding`, padding does not count, so a window of ones
 * has the mean 1 at the edges too (NaN if it is nothing but padding). Integers become `float32`.
 *
 * @param x `[N, W, C]`, `[N, H, W, C]` or `[N, D, H, W, C]`.
 * @throws {ShapeError} for other ranks, or if the window does not fit. {OptionError} for bad options.
 * @example windowMean(ones([1, 3, 3, 1]), { window: 2, padding: 'same' })   // ones, [1,2,2,1]
 */
export function windowMean(x: Tensor, options: WindowMeanOptions): Tensor {
  const t = floatOperand('windowMean', x);
  checkOptions('windowMean', options, ['window', 'stride', 'padding', 'dilation', 'countPadding']);
  const { countPadding = false, ...rest } = options;
  const window = geometry('windowMean', t, rest);
  const total = sumPrimitive('y', window, t);
  if (countPadding || insideEverywhere(window)) return div(total, scalar(sizeOf(window.window), t.dtype));
  const exist = broadcastTo(scalar(1, t.dtype), [1, ...window.x, 1]);
  return div(total, sumPrimitive('y', { ...window, n: 1, c: 1 }, exist));
}

/** Whether no window reaches over an edge. */
function insideEverywhere({ x, window, y, stride, padLow, dilation }: WindowGeometry): boolean {
  return x.every((n, d) => {
    const [low, step] = [padLow[d] as number, stride[d] as number];
    const last = ((y[d] as number) - 1) * step + ((window[d] as number) - 1) * (dilation[d] as number) - low;
    return low <= 0 && last < n;
  });
}

function geometry(op: string, x: Tensor, options: WindowOptions): WindowGeometry {
  checkOptions(op, options, ['window', 'stride', 'padding', 'dilation']);
  const spatial = x.ndim - 2;
  if (spatial < 1 || spatial >= spatialNames.length)
    throw new ShapeError(`${op}: x has 3, 4 or 5 axes, such as [N,H,W,C], but is ${showAval(x.aval)}.`);
  const window = perAxis(op, 'window', options.window, spatial, 1);
  const { stride = window, padding = 'valid', dilation = 1 } = options;
  const extents = x.shape.slice(1, -1);
  const [n, c] = [x.shape[0], x.shape.at(-1)] as [number, number];
  return { n, c, x: extents, window, ...slide(op, extents, window, { stride, padding, dilation }) };
}
