import { type Padding, ShapeError, showAval, type Tensor, windowMax, windowMean } from '@neumann/core';
import { checkOptions } from '@neumann/core/extend';
import { type Pair, positivePerAxis } from './options.ts';

/** Options of {@link maxPool} and {@link avgPool}. */
export interface PoolOptions {
  /** Extents of the window. */
  readonly window: Pair;
  /** Steps of the window; the window itself by default, so that windows tile the image. */
  readonly stride?: Pair;
  /** `'valid'` by default: windows lie inside the image. */
  readonly padding?: Padding;
}

/**
 * The greatest value of each window of images: a function `[N, H, W, C] -> [N, H', W', C]`. Padding never wins.
 *
 * @throws {OptionError} for bad options; {ShapeError} from the function, unless x has four axes.
 * @example
 * maxPool({ window: 2 })(ones([8, 28, 28, 16]))   // f32[8,14,14,16]
 */
export function maxPool(options: PoolOptions): (x: Tensor) => Tensor {
  return pool('maxPool', options, windowMax);
}

/**
 * The mean of each window of images: a function `[N, H, W, C] -> [N, H', W', C]`.
 *
 * @throws {OptionError} for bad options; {ShapeError} from the function, unless x has four axes.
 * @example
 * avgPool({ window: [7, 7] })(ones([8, 7, 7, 64]))   // f32[8,1,1,64]
 */
export function avgPool(options: PoolOptions): (x: Tensor) => Tensor {
  return pool('avgPool', options, windowMean);
}

function pool(name: string, options: PoolOptions, windows: typeof windowMax): (x: Tensor) => Tensor {
  checkOptions(name, options, ['window', 'stride', 'padding']);
  const window = positivePerAxis(name, 'window', options.window, 2);
  const stride = positivePerAxis(name, 'stride', options.stride ?? window, 2);
  const { padding = 'valid' } = options;
  return (x) => {
    if (x.ndim !== 4)
      throw new ShapeError(`${name}: x must be images [N,H,W,C], but is ${showAval(x.aval)}.`);
    return windows(x, { window, stride, padding });
  };
}
