import { type Aval, type Padding, ShapeError, showAval } from '@neumann/core';
import { checkOptions } from '@neumann/core/extend';
import { conv2d } from './conv.ts';
import type { Initializer } from './initializers.ts';
import type { Layer } from './layer.ts';
import { type Pair, positiveInteger } from './options.ts';
import { serial } from './serial.ts';
import { shaped } from './shaped.ts';
import type { Weights } from './weights.ts';

/** Options of {@link depthwiseConv2d}. */
export interface DepthwiseOptions {
  /** Extents of the window. */
  readonly kernel: Pair;
  /** Output channels for each input channel; 1 by default. */
  readonly multiplier?: number;
  /** Steps of the window; 1 by default. */
  readonly stride?: Pair;
  /** `'same'` by default. */
  readonly padding?: Padding;
  /** Distance between the pixels that a window reads; 1 by default. */
  readonly dilation?: Pair;
  /** Whether a number is added to each output channel; `true` by default. */
  readonly bias?: boolean;
  /** `lecunNormal` by default. */
  readonly kernelInit?: Initializer;
}

const depthwiseOptions = ['kernel', 'multiplier', 'stride', 'padding', 'dilation', 'bias', 'kernelInit'];

/** Options of {@link separableConv2d}. */
export interface SeparableOptions extends DepthwiseOptions {
  /** Channels of the output. */
  readonly features: number;
}

/**
 * A convolution of each channel of images for itself.
 *
 * x `[N, H, W, C]`, w `[KH, KW, 1, C multiplier]`, b `[C multiplier]` give `[N, H', W', C multiplier]`.
 *
 * @throws {OptionError} for bad options; {ShapeError} for inputs that are no images.
 * @example
 * const layer = depthwiseConv2d({ kernel: 3 });
 * const { params } = layer.init(random.key(0), new ShapeDtype([1, 14, 14, 32]));
 * layer.apply(params, null, ones([8, 14, 14, 32]))[0]   // f32[8,14,14,32]
 */
export function depthwiseConv2d(options: DepthwiseOptions): Layer<Weights, null> {
  checkOptions('depthwiseConv2d', options, depthwiseOptions);
  const { multiplier = 1, ...rest } = options;
  positiveInteger('depthwiseConv2d', 'multiplier', multiplier);
  return shaped((x: Aval) => {
    const channels = x.shape.at(-1);
    if (x.shape.length !== 4 || !channels)
      throw new ShapeError(`depthwiseConv2d: x must be images [N,H,W,C], but is ${showAval(x)}.`);
    return conv2d({ ...rest, features: channels * multiplier, groups: channels });
  });
}

/**
 * A depthwise convolution, then one by 1 × 1 that mixes the channels. Chollet 2017.
 *
 * @throws {OptionError} for bad options; {ShapeError} for inputs that are no images.
 * @example
 * const layer = separableConv2d({ features: 64, kernel: 3 });
 * const { params } = layer.init(random.key(0), new ShapeDtype([1, 14, 14, 32]));
 * params.pointwise.w   // f32[1,1,32,64]
 */
export function separableConv2d(given: SeparableOptions) {
  checkOptions('separableConv2d', given, [...depthwiseOptions, 'features']);
  const { features, bias = true, ...options } = given;
  return serial({
    depthwise: depthwiseConv2d({ ...options, bias: false }),
    pointwise: conv2d({ features, kernel: 1, bias }),
  });
}
