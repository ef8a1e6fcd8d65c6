import { add, conv, OptionError, type Padding, ShapeError, showAval, type Tensor } from '@neumann/core';
import { checkOptions } from '@neumann/core/extend';
import { type Initializer, lecunNormal, zeros } from './initializers.ts';
import type { Layer } from './layer.ts';
import { type PerAxis, positiveInteger, positivePerAxis } from './options.ts';
import { checkWeights, makeWeights, parameterDType, type Weights } from './weights.ts';

/** Options of {@link conv1d}, {@link conv2d} and {@link conv3d}. */
export interface ConvLayerOptions {
  /** Channels of the output. */
  readonly features: number;
  /** Extents of the window: one for all spatial axes, or one for each. */
  readonly kernel: PerAxis;
  /** Steps of the window; 1 by default. */
  readonly stride?: PerAxis;
  /** `'same'` by default: with stride 1 the output is as large as the input. */
  readonly padding?: Padding;
  /** Distance between the pixels that a window reads; 1 by default. */
  readonly dilation?: PerAxis;
  /** Groups of channels that do not see each other; 1 by default, the number of channels for a depthwise convolution. */
  readonly groups?: number;
  /** Whether a number is added to each output channel; `true` by default. */
  readonly bias?: boolean;
  /** `lecunNormal` by default. */
  readonly kernelInit?: Initializer;
  /** `zeros` by default. */
  readonly biasInit?: Initializer;
}

/** By the number of spatial axes. */
const names = { 1: 'W', 2: 'H,W', 3: 'D,H,W' } as const;
const windows = { 1: 'KW', 2: 'KH,KW', 3: 'KD,KH,KW' } as const;
const nouns = { 1: 'sequences', 2: 'images', 3: 'volumes' } as const;

/**
 * A convolution of sequences with learned windows.
 *
 * x `[N, W, C]`, w `[KW, C / groups, F]`, b `[F]` give `[N, W', F]`.
 *
 * @throws {OptionError} for bad options; {ShapeError} for inputs that do not fit.
 * @example
 * const layer = conv1d({ features: 16, kernel: 3 });
 * const { params } = layer.init(random.key(0), new ShapeDtype([1, 100, 4]));
 * layer.apply(params, null, ones([8, 100, 4]))[0]   // f32[8,100,16]
 */
export const conv1d = (options: ConvLayerOptions): Layer<Weights, null> => convLayer('conv1d', 1, options);

/**
 * A convolution of images with learned windows.
 *
 * x `[N, H, W, C]`, w `[KH, KW, C / groups, F]`, b `[F]` give `[N, H', W', F]`.
 *
 * @throws {OptionError} for bad options; {ShapeError} for inputs that do not fit.
 * @example
 * const layer = conv2d({ features: 16, kernel: 3, stride: 2 });
 * const { params } = layer.init(random.key(0), new ShapeDtype([1, 28, 28, 1]));
 * layer.apply(params, null, ones([8, 28, 28, 1]))[0]   // f32[8,14,14,16]
 */
export const conv2d = (options: ConvLayerOptions): Layer<Weights, null> => convLayer('conv2d', 2, options);

/**
 * A convolution of volumes, or of films, with learned windows.
 *
 * x `[N, D, H, W, C]`, w `[KD, KH, KW, C / groups, F]`, b `[F]` give `[N, D', H', W', F]`.
 *
 * @throws {OptionError} for bad options; {ShapeError} for inputs that do not fit.
 * @example
 * const layer = conv3d({ features: 4, kernel: 3 });
 * const { params } = layer.init(random.key(0), new ShapeDtype([1, 8, 8, 8, 1]));
 * layer.apply(params, null, ones([2, 8, 8, 8, 1]))[0]   // f32[2,8,8,8,4]
 */
export const conv3d = (options: ConvLayerOptions): Layer<Weights, null> => convLayer('conv3d', 3, options);

const keys = [
  'features',
  'kernel',
  'stride',
  'padding',
  'dilation',
  'groups',
  'bias',
  'kernelInit',
  'biasInit',
];

function convLayer(name: string, spatial: 1 | 2 | 3, options: ConvLayerOptions): Layer<Weights, null> {
  checkOptions(name, options, keys);
  const { padding = 'same', bias = true, kernelInit = lecunNormal, biasInit = zeros } = options;
  const features = positiveInteger(name, 'features', options.features);
  const kernel = positivePerAxis(name, 'kernel', options.kernel, spatial);
  const stride = positivePerAxis(name, 'stride', options.stride ?? 1, spatial);
  const dilation = positivePerAxis(name, 'dilation', options.dilation ?? 1, spatial);
  const groups = positiveInteger(name, 'groups', options.groups ?? 1);
  if (features % groups !== 0)
    throw new OptionError(`${name}: features ${features} must be a multiple of groups ${groups}.`);
  return {
    init(key, x) {
      const channels = x.shape.at(-1) as number;
      if (x.shape.length !== spatial + 2)
        throw new ShapeError(
          `${name}: x must be ${nouns[spatial]} [N,${names[spatial]},C], but is ${showAval(x)}.`,
        );
      if (channels % groups !== 0)
        throw new ShapeError(
          `${name}: x ${showAval(x)} has ${channels} channels, which must be a multiple of groups ${groups}.`,
        );
      const shape = [...kernel, channels / groups, features];
      return {
        params: makeWeights(key, shape, parameterDType(x.dtype), { bias, kernelInit, biasInit }),
        state: null,
      };
    },
    apply(params, state, x) {
      const { w, b } = checkWeights(name, params);
      const channels = (w.shape.at(-2) as number) * groups;
      if (x.ndim !== spatial + 2 || x.shape.at(-1) !== channels)
        throw new ShapeError(
          `${name}: x ${showAval(x.aval)} must be ${nouns[spatial]} [N,${names[spatial]},${channels}] for w ${showAval(w.aval)}; ` +
            `x is [N,${names[spatial]},C] and w is [${windows[spatial]},C${groups === 1 ? '' : `/${groups}`},F].`,
        );
      const y: Tensor = conv(x, w, { stride, padding, dilation, groups });
      return [b ? add(y, b) : y, state];
    },
  };
}
