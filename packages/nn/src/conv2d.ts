import { add, conv, OptionError, type Padding, ShapeError, showAval } from '@neumann/core';
import { checkOptions } from '@neumann/core/extend';
import { type Initializer, lecunNormal, zeros } from './initializers.ts';
import type { Layer } from './layer.ts';
import { type Pair, positiveInteger, positivePair } from './options.ts';
import { checkWeights, makeWeights, parameterDType, type Weights } from './weights.ts';

/** Options of {@link conv2d}. */
export interface Conv2dOptions {
  /** Channels of the output. */
  readonly features: number;
  /** Extents of the window. */
  readonly kernel: Pair;
  /** Steps of the window; 1 by default. */
  readonly stride?: Pair;
  /** `'same'` by default: with stride 1 the output is as large as the input. */
  readonly padding?: Padding;
  /** Distance between the pixels that a window reads; 1 by default. */
  readonly dilation?: Pair;
  /** Groups of channels that do not see each other; 1 by default, the number of channels for a depthwise convolution. */
  readonly groups?: number;
  /** Whether a number is added to each output channel; `true` by default. */
  readonly bias?: boolean;
  /** `lecunNormal` by default. */
  readonly kernelInit?: Initializer;
  /** `zeros` by default. */
  readonly biasInit?: Initializer;
}

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
export function conv2d(options: Conv2dOptions): Layer<Weights, null> {
  checkOptions('conv2d', options, keys);
  const { padding = 'same', bias = true, kernelInit = lecunNormal, biasInit = zeros } = options;
  const features = positiveInteger('conv2d', 'features', options.features);
  const kernel = positivePair('conv2d', 'kernel', options.kernel);
  const stride = positivePair('conv2d', 'stride', options.stride ?? 1);
  const dilation = positivePair('conv2d', 'dilation', options.dilation ?? 1);
  const groups = positiveInteger('conv2d', 'groups', options.groups ?? 1);
  if (features % groups !== 0)
    throw new OptionError(`conv2d: features ${features} must be a multiple of groups ${groups}.`);
  return {
    init(key, x) {
      const [, , , channels] = x.shape;
      if (x.shape.length !== 4 || channels === undefined)
        throw new ShapeError(`conv2d: x must be images [N,H,W,C], but is ${showAval(x)}.`);
      if (channels % groups !== 0)
        throw new ShapeError(
          `conv2d: x ${showAval(x)} has ${channels} channels, which must be a multiple of groups ${groups}.`,
        );
      const shape = [...kernel, channels / groups, features];
      return {
        params: makeWeights(key, shape, parameterDType(x.dtype), { bias, kernelInit, biasInit }),
        state: null,
      };
    },
    apply(params, state, x) {
      const { w, b } = checkWeights('conv2d', params);
      const channels = (w.shape[2] as number) * groups;
      if (x.ndim !== 4 || x.shape[3] !== channels)
        throw new ShapeError(
          `conv2d: x ${showAval(x.aval)} must be images [N,H,W,${channels}] for w ${showAval(w.aval)}; ` +
            `x is [N,H,W,C] and w is [KH,KW,C${groups === 1 ? '' : `/${groups}`},F].`,
        );
      const y = conv(x, w, { stride, padding, dilation, groups });
      return [b ? add(y, b) : y, state];
    },
  };
}
