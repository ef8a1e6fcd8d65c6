/** Normalisations: they bring signals to mean 0 and variance 1, over different axes, and then scale and shift them. */
import {
  add,
  customJvp,
  type DType,
  mean,
  multiply,
  OptionError,
  ones,
  pmean,
  reshape,
  rsqrt,
  ShapeError,
  showAval,
  square,
  stopGradient,
  subtract,
  type Tensor,
  TreeError,
  zeros,
} from '@neumann/core';
import { checkOptions } from '@neumann/core/extend';
import type { Layer } from './layer.ts';
import { fraction, positiveInteger } from './options.ts';
import { parameterDType } from './weights.ts';

/** A factor and a summand for each feature. */
export interface ScaleAndShift {
  /** `[C]`, 1 at first; absent with `scale: false`. */
  readonly scale?: Tensor;
  /** `[C]`, 0 at first; absent with `shift: false`. */
  readonly shift?: Tensor;
}

/** The running statistics of {@link batchNorm}. */
export interface BatchStatistics {
  /** `[C]`, 0 at first. */
  readonly mean: Tensor;
  /** `[C]`, 1 at first. */
  readonly variance: Tensor;
}

/** Options of all normalisations. */
export interface NormOptions {
  /** Added to the variance; 1e-5 by default. */
  readonly epsilon?: number;
  /** Whether the result is multiplied by learned numbers; `true` by default. */
  readonly scale?: boolean;
  /** Whether learned numbers are added; `true` by default. */
  readonly shift?: boolean;
}

/** Options of {@link batchNorm}. */
export interface BatchNormOptions extends NormOptions {
  /** How much of the running statistics stays at each step, in [0, 1); 0.9 by default (PyTorch's momentum is 1 minus this). */
  readonly momentum?: number;
  /** The `axisName` of a `vmap`, over whose members the statistics are averaged too: synchronised batch normalisation. */
  readonly axisName?: string;
}

const normKeys = ['epsilon', 'scale', 'shift'];

/**
 * Normalises each channel over the batch and the spatial axes: in training by the statistics of the batch, otherwise by
 * running averages of them, which are the state. Ioffe and Szegedy 2015.
 *
 * x `[N, ..., C]`; the variance is that of the batch (divided by its size), in the running average, too.
 *
 * @throws {OptionError} for bad options; {ShapeError} for inputs without a channel axis.
 * @example
 * const layer = batchNorm();
 * const { params, state } = layer.init(random.key(0), new ShapeDtype([1, 14, 14, 32]));
 * const [y, next] = layer.apply(params, state, ones([8, 14, 14, 32]), { training: true });
 */
export function batchNorm(options: BatchNormOptions = {}): Layer<ScaleAndShift, BatchStatistics> {
  checkOptions('batchNorm', options, [...normKeys, 'momentum', 'axisName']);
  const { axisName } = options;
  const momentum = fraction('batchNorm', 'momentum', options.momentum ?? 0.9);
  const { epsilon, makeParams, scaleAndShift } = common('batchNorm', options);
  const across = (x: Tensor): Tensor => (axisName === undefined ? x : pmean(x, axisName));
  return {
    init(_, x) {
      const channels = featuresOf('batchNorm', x, 2);
      const dtype = parameterDType(x.dtype);
      return {
        params: makeParams(channels, dtype),
        state: { mean: zeros([channels], dtype), variance: ones([channels], dtype) },
      };
    },
    apply(params, state, x, context) {
      if (!context?.training) {
        const factor = rsqrt(add(state.variance, epsilon));
        return [scaleAndShift(params, multiply(subtract(x, state.mean), factor)), state];
      }
      const axis = x.shape.map((_, i) => i).slice(0, -1);
      const center = across(mean(x, { axis }));
      const variance = across(spread(x, center, axis));
      const y = scaleAndShift(params, multiply(subtract(x, center), rsqrt(add(variance, epsilon))));
      const average = (old: Tensor, now: Tensor): Tensor =>
        add(multiply(momentum, old), multiply(1 - momentum, stopGradient(now)));
      return [y, { mean: average(state.mean, center), variance: average(state.variance, variance) }];
    },
  };
}

/**
 * Normalises each example over its last axis. Ba, Kiros, Hinton 2016.
 *
 * x `[..., C]`.
 *
 * @throws {OptionError} for bad options; {ShapeError} for scalars.
 * @example
 * const layer = layerNorm({ epsilon: 0 });
 * const { params } = layer.init(random.key(0), new ShapeDtype([1, 2]));
 * layer.apply(params, null, tensor([[1, 3]]))[0].toArray()   // [[-1, 1]]
 */
export function layerNorm(options: NormOptions = {}): Layer<ScaleAndShift, null> {
  checkOptions('layerNorm', options, normKeys);
  const { epsilon, makeParams, scaleAndShift } = common('layerNorm', options);
  return {
    init: (_, x) => ({
      params: makeParams(featuresOf('layerNorm', x, 1), parameterDType(x.dtype)),
      state: null,
    }),
    apply: (params, state, x) => [scaleAndShift(params, normalised(x, [-1], epsilon)), state],
  };
}

/**
 * Divides each example by the root of the mean square over its last axis. Zhang and Sennrich 2019.
 *
 * x `[..., C]`.
 *
 * @throws {OptionError} for bad options; {ShapeError} for scalars.
 * @example
 * const layer = rmsNorm({ epsilon: 0 });
 * const { params } = layer.init(random.key(0), new ShapeDtype([2]));
 * layer.apply(params, null, tensor([3, -3]))[0].toArray()   // [1, -1]
 */
export function rmsNorm(options: Omit<NormOptions, 'shift'> = {}): Layer<ScaleAndShift, null> {
  checkOptions('rmsNorm', options, ['epsilon', 'scale']);
  const { epsilon, makeParams, scaleAndShift } = common('rmsNorm', { ...options, shift: false });
  return {
    init: (_, x) => ({
      params: makeParams(featuresOf('rmsNorm', x, 1), parameterDType(x.dtype)),
      state: null,
    }),
    apply: (params, state, x) => {
      const factor = rsqrt(add(mean(square(x), { axis: -1, keepdims: true }), epsilon));
      return [scaleAndShift(params, multiply(x, factor)), state];
    },
  };
}

/** Options of {@link groupNorm}. */
export interface GroupNormOptions extends NormOptions {
  /** How many groups the channels fall into. */
  readonly groups: number;
}

/**
 * Normalises groups of neighbouring channels of each example over the spatial axes. Wu and He 2018.
 *
 * x `[N, ..., C]`, with C a multiple of `groups`.
 *
 * @throws {OptionError} for bad options; {ShapeError} if the groups do not divide the channels.
 * @example
 * const layer = groupNorm({ groups: 8 });
 * const { params } = layer.init(random.key(0), new ShapeDtype([1, 14, 14, 32]));
 * layer.apply(params, null, ones([8, 14, 14, 32]))[0]   // f32[8,14,14,32]
 */
export function groupNorm(options: GroupNormOptions): Layer<ScaleAndShift, null> {
  checkOptions('groupNorm', options, [...normKeys, 'groups']);
  const groups = positiveInteger('groupNorm', 'groups', options.groups);
  return grouped('groupNorm', () => groups, options);
}

/**
 * Normalises each channel of each example over the spatial axes. Ulyanov, Vedaldi, Lempitsky 2016.
 *
 * x `[N, ..., C]`.
 *
 * @throws {OptionError} for bad options; {ShapeError} for inputs without a channel axis.
 * @example
 * const layer = instanceNorm();
 * const { params } = layer.init(random.key(0), new ShapeDtype([1, 14, 14, 32]));
 * layer.apply(params, null, ones([8, 14, 14, 32]))[0]   // f32[8,14,14,32]
 */
export function instanceNorm(options: NormOptions = {}): Layer<ScaleAndShift, null> {
  checkOptions('instanceNorm', options, normKeys);
  return grouped('instanceNorm', (channels) => channels, options);
}

function grouped(
  name: string,
  groupsOf: (channels: number) => number,
  options: NormOptions,
): Layer<ScaleAndShift, null> {
  const { epsilon, makeParams, scaleAndShift } = common(name, options);
  const split = (x: { readonly shape: readonly number[]; readonly dtype: DType }): [number, number] => {
    const channels = featuresOf(name, x, 2);
    const groups = groupsOf(channels);
    if (channels % groups !== 0)
      throw new ShapeError(
        `${name}: x ${showAval(x)} has ${channels} channels, which do not divide into ${groups} groups.`,
      );
    return [groups, channels / groups];
  };
  return {
    init: (_, x) => {
      split(x);
      return { params: makeParams(x.shape.at(-1) as number, parameterDType(x.dtype)), state: null };
    },
    apply: (params, state, x) => {
      const parts = reshape(x, [...x.shape.slice(0, -1), ...split(x)]); // [N, ..., groups, C / groups]
      const axis = parts.shape.map((_, i) => i).filter((i) => i !== 0 && i !== parts.ndim - 2);
      return [scaleAndShift(params, reshape(normalised(parts, axis, epsilon), x.shape)), state];
    },
  };
}

function normalised(x: Tensor, axis: readonly number[], epsilon: number): Tensor {
  const center = mean(x, { axis, keepdims: true });
  const variance = reshape(spread(x, center, axis), center.shape);
  return multiply(subtract(x, center), rsqrt(add(variance, epsilon)));
}

/**
 * The mean square of the distance from `center`, which is the mean: there it is least, so that only `x` has a part in the
 * derivative, and the backward pass need not sum up what is zero.
 */
const spread = customJvp(
  (x: Tensor, center: Tensor, axis: readonly number[]) => mean(square(subtract(x, center)), { axis }),
  ([x, center, axis], [dx]) => {
    const centered = subtract(x, center);
    return [mean(square(centered), { axis }), multiply(2, mean(multiply(centered, dx), { axis }))];
  },
  { staticArgs: [2] },
);

/** What all normalisations do the same. */
function common(name: string, { epsilon = 1e-5, scale = true, shift = true }: NormOptions) {
  if (!(epsilon >= 0)) throw new OptionError(`${name}: epsilon must be at least 0, but is ${epsilon}.`);
  return {
    epsilon,
    makeParams: (features: number, dtype: DType): ScaleAndShift => ({
      ...(scale ? { scale: ones([features], dtype) } : {}),
      ...(shift ? { shift: zeros([features], dtype) } : {}),
    }),
    scaleAndShift: (params: ScaleAndShift, x: Tensor): Tensor => {
      if (
        typeof params !== 'object' ||
        params === null ||
        (scale && !params.scale) ||
        (shift && !params.shift)
      )
        throw new TreeError(`${name}: needs the parameters that init() made, but got others.`);
      const scaled = params.scale ? multiply(x, params.scale) : x;
      return params.shift ? add(scaled, params.shift) : scaled;
    },
  };
}

function featuresOf(
  name: string,
  x: { readonly shape: readonly number[]; readonly dtype: DType },
  leastRank: number,
): number {
  const features = x.shape.at(-1);
  if (features === undefined || x.shape.length < leastRank)
    throw new ShapeError(
      `${name}: x must be [${leastRank === 2 ? 'N, ' : ''}..., C], but is ${showAval(x)}.`,
    );
  return features;
}
