import { add, convTranspose, type Padding, ShapeError, showAval } from '@neumann/core';
import { checkOptions } from '@neumann/core/extend';
import { type Initializer, lecunNormal, zeros } from './initializers.ts';
import type { Layer } from './layer.ts';
import { type PerAxis, positiveInteger, positivePerAxis } from './options.ts';
import { checkWeights, makeWeights, parameterDType, type Weights } from './weights.ts';

/** Options of {@link convTranspose1d}, {@link convTranspose2d} and {@link convTranspose3d}. */
export interface ConvTransposeLayerOptions {
  /** Channels of the output. */
  readonly features: number;
  /** Extents of the window: one for all spatial axes, or one for each. */
  readonly kernel: PerAxis;
  /** How much larger the output is; 1 by default. */
  readonly stride?: PerAxis;
  /** `'same'` by default: the output is `stride` times as large as the input. */
  readonly padding?: Padding;
  /** Whether a number is added to each output channel; `true` by default. */
  readonly bias?: boolean;
  /** `lecunNormal` by default. */
  readonly kernelInit?: Initializer;
  /** `zeros` by default. */
  readonly biasInit?: Initializer;
}

/**
 * A transposed convolution of sequences: `[N, W, C]` and w `[KW, C, F]` give `[N, stride W, F]`.
 *
 * @throws {OptionError} for bad options; {ShapeError} for inputs that do not fit.
 * @example
 * const layer = convTranspose1d({ features: 4, kernel: 4, stride: 2 });
 * const { params } = layer.init(random.key(0), new ShapeDtype([1, 10, 8]));
 * layer.apply(params, null, ones([2, 10, 8]))[0]   // f32[2,20,4]
 */
export const convTranspose1d = (options: ConvTransposeLayerOptions): Layer<Weights, null> =>
  transposed('convTranspose1d', 1, options);

/**
 * A transposed convolution of images: `[N, H, W, C]` and w `[KH, KW, C, F]` give `[N, stride H, stride W, F]`.
 *
 * @throws {OptionError} for bad options; {ShapeError} for inputs that do not fit.
 * @example
 * const layer = convTranspose2d({ features: 4, kernel: 4, stride: 2 });
 * const { params } = layer.init(random.key(0), new ShapeDtype([1, 7, 7, 8]));
 * layer.apply(params, null, ones([2, 7, 7, 8]))[0]   // f32[2,14,14,4]
 */
export const convTranspose2d = (options: ConvTransposeLayerOptions): Layer<Weights, null> =>
  transposed('convTranspose2d', 2, options);

/**
 * A transposed convolution of volumes: `[N, D, H, W, C]` and w `[KD, KH, KW, C, F]` give `stride` times as large ones.
 *
 * @throws {OptionError} for bad options; {ShapeError} for inputs that do not fit.
 * @example
 * const layer = convTranspose3d({ features: 4, kernel: 2, stride: 2 });
 * const { params } = layer.init(random.key(0), new ShapeDtype([1, 3, 3, 3, 8]));
 * layer.apply(params, null, ones([2, 3, 3, 3, 8]))[0]   // f32[2,6,6,6,4]
 */
export const convTranspose3d = (options: ConvTransposeLayerOptions): Layer<Weights, null> =>
  transposed('convTranspose3d', 3, options);

const keys = ['features', 'kernel', 'stride', 'padding', 'bias', 'kernelInit', 'biasInit'];

function transposed(
  name: string,
  spatial: 1 | 2 | 3,
  options: ConvTransposeLayerOptions,
): Layer<Weights, null> {
  checkOptions(name, options, keys);
  const { padding = 'same', bias = true, kernelInit = lecunNormal, biasInit = zeros } = options;
  const features = positiveInteger(name, 'features', options.features);
  const kernel = positivePerAxis(name, 'kernel', options.kernel, spatial);
  const stride = positivePerAxis(name, 'stride', options.stride ?? 1, spatial);
  return {
    init(key, x) {
      if (x.shape.length !== spatial + 2)
        throw new ShapeError(`${name}: x must have ${spatial + 2} axes, [N, ..., C], but is ${showAval(x)}.`);
      const shape = [...kernel, x.shape.at(-1) as number, features];
      return {
        params: makeWeights(key, shape, parameterDType(x.dtype), { bias, kernelInit, biasInit }),
        state: null,
      };
    },
    apply(params, state, x) {
      const { w, b } = checkWeights(name, params);
      if (x.ndim !== spatial + 2 || x.shape.at(-1) !== w.shape.at(-2))
        throw new ShapeError(
          `${name}: x ${showAval(x.aval)} must be [N, ..., ${w.shape.at(-2)}] with ${spatial + 2} axes for w ${showAval(w.aval)}.`,
        );
      const y = convTranspose(x, w, { stride, padding });
      return [b ? add(y, b) : y, state];
    },
  };
}
