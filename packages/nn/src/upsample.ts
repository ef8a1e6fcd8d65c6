import { image, type ResizeMethod, ShapeError, showAval, type Tensor } from '@neumann/core';
import { checkOptions } from '@neumann/core/extend';
import { type Pair, positivePerAxis } from './options.ts';

/** Options of {@link upsample}. */
export interface UpsampleOptions {
  /** How much larger the output is, an integer of at least 1 for both axes or one for each. */
  readonly scale: Pair;
  /** `'nearest'` by default; `'linear'`, `'cubic'` and the others of `image.resize`. */
  readonly method?: ResizeMethod;
}

/**
 * Images enlarged: a function `[N, H, W, C] -> [N, scale H, scale W, C]`.
 *
 * @throws {OptionError} for bad options; {ShapeError} from the function, unless x has four axes.
 * @example upsample({ scale: 2 })(ones([1, 7, 7, 3]))   // f32[1,14,14,3]
 */
export function upsample(options: UpsampleOptions): (x: Tensor) => Tensor {
  checkOptions('upsample', options, ['scale', 'method']);
  const { method = 'nearest' } = options;
  const [vertical = 1, horizontal = 1] = positivePerAxis('upsample', 'scale', options.scale, 2);
  return (x) => {
    const [n, height, width, channels] = x.shape;
    if (
      x.ndim !== 4 ||
      n === undefined ||
      height === undefined ||
      width === undefined ||
      channels === undefined
    )
      throw new ShapeError(`upsample: x must be images [N,H,W,C], but is ${showAval(x.aval)}.`);
    return image.resize(x, [n, height * vertical, width * horizontal, channels], method);
  };
}
