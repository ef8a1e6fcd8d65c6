import { concatenate, max, mean, OptionError, ShapeError, showAval, slice, type Tensor } from '@neumann/core';
import { checkTensors, type Pair, positivePerAxis } from './options.ts';

/** The mean over all spatial axes: `[N, ..., C] -> [N, C]`. @throws {ShapeError} for fewer than three axes. */
export const globalAvgPool = (x: Tensor): Tensor => mean(x, { axis: spatialAxes('globalAvgPool', x) });

/** The maximum over all spatial axes: `[N, ..., C] -> [N, C]`. @throws {ShapeError} for fewer than three axes. */
export const globalMaxPool = (x: Tensor): Tensor => max(x, { axis: spatialAxes('globalMaxPool', x) });

function spatialAxes(name: string, x: Tensor): number[] {
  checkTensors(name, { x });
  if (x.ndim < 3) throw new ShapeError(`${name}: x must be [N, ..., C], but is ${showAval(x.aval)}.`);
  return x.shape.map((_, axis) => axis).slice(1, -1);
}

/**
 * Means of windows that are chosen so that the output has a given size, whatever that of the input: window i of n covers
 * the pixels from `⌊i H / n⌋` to `⌈(i + 1) H / n⌉`, as in PyTorch. `[N, H, W, C] -> [N, n, m, C]`.
 *
 * @throws {OptionError} if the size is no integer of at least 1. {ShapeError} from the function, unless x has four axes.
 * @example adaptiveAvgPool(7)(ones([2, 16, 10, 3]))   // f32[2,7,7,3]
 */
export function adaptiveAvgPool(size: Pair): (x: Tensor) => Tensor {
  return adaptive('adaptiveAvgPool', size, mean);
}

/**
 * Maxima of the windows of {@link adaptiveAvgPool}.
 *
 * @throws {OptionError} if the size is no integer of at least 1. {ShapeError} from the function, unless x has four axes.
 * @example adaptiveMaxPool([2, 3])(ones([2, 16, 10, 3]))   // f32[2,2,3,3]
 */
export function adaptiveMaxPool(size: Pair): (x: Tensor) => Tensor {
  return adaptive('adaptiveMaxPool', size, max);
}

function adaptive(name: string, size: Pair, fold: typeof mean): (x: Tensor) => Tensor {
  const sizes = positivePerAxis(name, 'size', size, 2);
  return (x) => {
    if (x.ndim !== 4)
      throw new ShapeError(`${name}: x must be images [N,H,W,C], but is ${showAval(x.aval)}.`);
    if (x.shape.includes(0)) throw new OptionError(`${name}: x ${showAval(x.aval)} has no pixels.`);
    return sizes.reduce((t, n, d) => foldWindows(t, 1 + d, n, fold), x);
  };
}

/** Rows, then columns: maxima of maxima, and means of means of windows of one size. */
function foldWindows(x: Tensor, axis: number, count: number, fold: typeof mean): Tensor {
  const extent = x.shape[axis] as number;
  const windows = Array.from({ length: count }, (_, i) => {
    const from = Math.floor((i * extent) / count);
    const to = Math.ceil(((i + 1) * extent) / count);
    return fold(
      slice(
        x,
        x.shape.map((n, a) => (a === axis ? [from, to] : [0, n])),
      ),
      { axis, keepdims: true },
    );
  });
  return concatenate(windows, { axis });
}
