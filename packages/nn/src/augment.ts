/**
 * Augmentation of images `[N, H, W, C]` as functions of a key: each image is changed by random numbers of its own. They
 * are operations like any others, so they run inside a jitted step, on any backend.
 */
import {
  abs,
  add,
  arange,
  astype,
  clip,
  divide,
  dynamicSlice,
  exp,
  expandDims,
  flip,
  floor,
  greaterEqual,
  less,
  logicalAnd,
  matmul,
  maximum,
  mean,
  minimum,
  multiply,
  OptionError,
  pad,
  random,
  reshape,
  ShapeError,
  showAval,
  sqrt,
  subtract,
  sum,
  type Tensor,
  take,
  tensor,
  vmap,
  where,
} from '@neumann/core';
import { checkOptions, isFloat } from '@neumann/core/extend';
import { checkTensors, type Pair, positiveInteger, positivePerAxis } from './options.ts';

/**
 * `(x - mean) / stddev` for each channel; integers are divided by 255 first.
 *
 * @param options Numbers for each channel, of images in [0, 1].
 * @throws {ShapeError} unless there is a number for each channel. {OptionError} for a deviation that is not positive.
 * @example normalizeImages(ones([1, 2, 2, 3]), { mean: [0.5, 0.5, 0.5], stddev: [0.25, 0.25, 0.25] })   // f32[1,2,2,3]
 */
export function normalizeImages(
  images: Tensor,
  options: { readonly mean: readonly number[]; readonly stddev: readonly number[] },
): Tensor {
  checkOptions('normalizeImages', options, ['mean', 'stddev']);
  const [, , , channels] = imageShape('normalizeImages', images);
  const { mean, stddev } = options;
  for (const [name, values] of Object.entries({ mean, stddev }))
    if (!Array.isArray(values))
      throw new OptionError(
        `normalizeImages: ${name} must be an array of numbers, but is ${String(values)}.`,
      );
    else if (values.length !== channels)
      throw new ShapeError(
        `normalizeImages: ${name} has ${values.length} numbers, but images ${showAval(images.aval)} have ${channels} channels.`,
      );
  if (!options.stddev.every((s) => s > 0))
    throw new OptionError(`normalizeImages: stddev must be positive, but is [${options.stddev.join(', ')}].`);
  const x = asFloats(images);
  return divide(subtract(x, tensor([...options.mean], x.dtype)), tensor([...options.stddev], x.dtype));
}

/** Pixels as numbers in [0, 1]: integers are divided by 255. */
const asFloats = (images: Tensor): Tensor =>
  isFloat(images.dtype) ? images : divide(astype(images, 'float32'), 255);

/**
 * Mirrors each image with probability one half, left to right.
 *
 * @throws {ShapeError} unless these are images.
 * @example randomFlip(key, ones([2, 4, 4, 3]))   // f32[2,4,4,3]
 */
export function randomFlip(key: Tensor, images: Tensor): Tensor {
  const [n] = imageShape('randomFlip', images);
  return where(random.bernoulli(key, 0.5, [n, 1, 1, 1]), flip(images, { axis: 2 }), images);
}

/**
 * Adds a border to the images and cuts a random part of their old size out of each, as is done with CIFAR.
 *
 * @param options.padding Pixels on each side.
 * @param options.mode What the border is: zeros (`'constant'`, the default) or mirrored pixels (`'reflect'`).
 * @throws {ShapeError} unless these are images. {OptionError} for bad options.
 * @example randomCrop(key, ones([2, 32, 32, 3]), { padding: 4 })   // f32[2,32,32,3]
 */
export function randomCrop(
  key: Tensor,
  images: Tensor,
  options: { readonly padding: number; readonly mode?: 'constant' | 'reflect' },
): Tensor {
  checkOptions('randomCrop', options, ['padding', 'mode']);
  const padding = positiveInteger('randomCrop', 'padding', options.padding);
  const { mode = 'constant' } = options;
  const [n, height, width, channels] = imageShape('randomCrop', images);
  const around: [number, number] = [padding, padding];
  const larger = pad(images, [[0, 0], around, around, [0, 0]], { mode });
  const starts = random.randint(key, [n, 2], { min: 0, max: 2 * padding + 1 });
  return vmap((image: Tensor, start: Tensor) =>
    dynamicSlice(image, [take(start, 0), take(start, 1), 0], [height, width, channels]),
  )(larger, starts);
}

/** Options of {@link randomResizedCrop}. */
export interface ResizedCropOptions {
  /** Extents of the result. */
  readonly size: Pair;
  /** The part of the image that is cut out is between these fractions of its area; `[0.08, 1]` by default. */
  readonly area?: readonly [least: number, most: number];
  /** Its width over its height is between these; `[3/4, 4/3]` by default. */
  readonly aspect?: readonly [least: number, most: number];
}

/**
 * Cuts a part of random area, proportions and place out of each image and brings it to one size by linear interpolation,
 * over all the pixels that fall into one. Szegedy et al. 2015 ("Inception crop").
 *
 * @throws {ShapeError} unless these are images. {OptionError} for bad options.
 * @example randomResizedCrop(key, ones([2, 40, 50, 3]), { size: 32 })   // f32[2,32,32,3]
 */
export function randomResizedCrop(key: Tensor, images: Tensor, options: ResizedCropOptions): Tensor {
  checkOptions('randomResizedCrop', options, ['size', 'area', 'aspect']);
  const { area = [0.08, 1], aspect = [3 / 4, 4 / 3] } = options;
  const size = positivePerAxis('randomResizedCrop', 'size', options.size, 2) as [number, number];
  for (const [name, [least, most], top] of [
    ['area', area, 1],
    ['aspect', aspect, Number.POSITIVE_INFINITY],
  ] as const)
    if (!(least > 0 && least <= most && most <= top))
      throw new OptionError(
        `randomResizedCrop: ${name} must be [least, most] with 0 < least <= most${top === 1 ? ' <= 1' : ''}, but is [${least}, ${most}].`,
      );
  const [n, height, width] = imageShape('randomResizedCrop', images);
  const draw = (i: number, min = 0, max = 1): Tensor =>
    random.uniform(random.foldIn(key, i), [n], { min, max });
  const pixels = multiply(draw(0, area[0], area[1]), height * width);
  const shape = exp(draw(1, Math.log(aspect[0]), Math.log(aspect[1]))); // even in the logarithm
  const h = minimum(sqrt(divide(pixels, shape)), height);
  const w = minimum(sqrt(multiply(pixels, shape)), width);
  const top = multiply(draw(2), subtract(height, h));
  const left = multiply(draw(3), subtract(width, w));
  const rows = interpolation(top, h, height, size[0]); // [N, size, H]
  const columns = interpolation(left, w, width, size[1]);
  const x = asFloats(images);
  const planes = reshape(x, [n, height, -1]);
  const tall = reshape(matmul(rows, planes), [n, size[0], width, -1]);
  return matmul(expandDims(columns, 1), tall); // [N, size, size, C]
}

/** The weights `[N, size, extent]` of pixels in a part `[from, from + length)`, brought to `size`: triangles that overlap. */
function interpolation(from: Tensor, length: Tensor, extent: number, size: number): Tensor {
  const scale = divide(length, size); // [N]
  const at = subtract(add(expandDims(from, 1), multiply(add(arange(size), 0.5), expandDims(scale, 1))), 0.5);
  const reach = expandDims(maximum(scale, 1), [1, 2]);
  const distance = abs(subtract(expandDims(clip(at, { min: 0, max: extent - 1 }), 2), arange(extent)));
  const weights = maximum(subtract(1, divide(distance, reach)), 0);
  return divide(weights, sum(weights, { axis: -1, keepdims: true }));
}

/** Options of {@link colorJitter}: by how much at most, 0 by default. */
export interface ColorJitterOptions {
  /** The factor of all channels is in `[1 - brightness, 1 + brightness]`. */
  readonly brightness?: number;
  /** The factor of the distance from the image's mean grey. */
  readonly contrast?: number;
  /** The factor of the distance from the pixel's grey; of images with three channels. */
  readonly saturation?: number;
}

/**
 * Changes brightness, contrast and saturation of each image at random. Images are numbers in [0, 1], and stay there.
 *
 * @throws {ShapeError} unless these are images, for saturation with three channels. {OptionError} for bad options.
 * @example colorJitter(key, ones([2, 4, 4, 3]), { brightness: 0.4, contrast: 0.4, saturation: 0.4 })   // f32[2,4,4,3]
 */
export function colorJitter(key: Tensor, images: Tensor, options: ColorJitterOptions): Tensor {
  checkOptions('colorJitter', options, ['brightness', 'contrast', 'saturation']);
  const { brightness = 0, contrast = 0, saturation = 0 } = options;
  for (const [name, value] of Object.entries(options))
    if (!(value >= 0 && value <= 1))
      throw new OptionError(`colorJitter: ${name} must be in [0, 1], but is ${value}.`);
  const [n, , , channels] = imageShape('colorJitter', images);
  if (saturation > 0 && channels !== 3)
    throw new ShapeError(
      `colorJitter: saturation needs three channels, but images are ${showAval(images.aval)}.`,
    );
  const factor = (i: number, most: number): Tensor =>
    random.uniform(random.foldIn(key, i), [n, 1, 1, 1], { min: 1 - most, max: 1 + most });
  const towards = (grey: Tensor, x: Tensor, f: Tensor): Tensor => add(grey, multiply(f, subtract(x, grey)));
  let x = asFloats(images);
  if (brightness > 0) x = clip(multiply(x, factor(0, brightness)), { min: 0, max: 1 });
  if (contrast > 0)
    x = clip(towards(mean(greyOf(x), { axis: [1, 2, 3], keepdims: true }), x, factor(1, contrast)), {
      min: 0,
      max: 1,
    });
  if (saturation > 0) x = clip(towards(greyOf(x), x, factor(2, saturation)), { min: 0, max: 1 });
  return x;
}

/** The luminance of ITU-R BT.601; of images without colours, themselves. */
const greyOf = (x: Tensor): Tensor =>
  x.shape[3] === 3
    ? sum(multiply(x, tensor([0.299, 0.587, 0.114], x.dtype)), { axis: 3, keepdims: true })
    : x;

/**
 * Sets a square of each image to zero, at a random place, perhaps over the edge. DeVries and Taylor 2017.
 *
 * @param options.size The side of the square.
 * @throws {ShapeError} unless these are images. {OptionError} for bad options.
 * @example cutout(key, ones([2, 32, 32, 3]), { size: 8 })   // f32[2,32,32,3]
 */
export function cutout(key: Tensor, images: Tensor, options: { readonly size: number }): Tensor {
  checkOptions('cutout', options, ['size']);
  const size = positiveInteger('cutout', 'size', options.size);
  const [n, height, width] = imageShape('cutout', images);
  const inside = (i: number, extent: number, axis: 1 | 2): Tensor => {
    const center = floor(random.uniform(random.foldIn(key, i), [n, 1], { min: 0, max: extent }));
    const from = subtract(center, Math.floor(size / 2));
    const place = arange(extent);
    const within = logicalAnd(greaterEqual(place, from), less(place, add(from, size))); // [N, extent]
    return reshape(within, axis === 1 ? [n, extent, 1, 1] : [n, 1, extent, 1]);
  };
  return where(logicalAnd(inside(0, height, 1), inside(1, width, 2)), 0, images);
}

/**
 * Mixes each example with another one: `λ x + (1 - λ) x'`, the labels likewise, with one λ of the beta distribution for
 * each. Zhang et al. 2018.
 *
 * @param images Floats `[N, ...]`.
 * @param targets Probabilities of classes `[N, K]`, such as `oneHot(labels, K)`.
 * @param options.alpha Both parameters of the distribution; 0.2 by default.
 * @throws {ShapeError} if there are not as many images as targets. {OptionError} for bad options.
 * @example
 * const [mixed] = mixup(key, ones([4, 8, 8, 3]), oneHot(tensor([0, 1, 2, 1], 'int32'), 3, 'float32'));
 * mixed   // f32[4,8,8,3]
 */
export function mixup(
  key: Tensor,
  images: Tensor,
  targets: Tensor,
  options: { readonly alpha?: number } = {},
): [images: Tensor, targets: Tensor] {
  checkOptions('mixup', options, ['alpha']);
  const { alpha = 0.2 } = options;
  if (!(alpha > 0)) throw new OptionError(`mixup: alpha must be positive, but is ${alpha}.`);
  checkTensors('mixup', { key, images, targets });
  const n = images.shape[0] as number;
  if (images.ndim < 1 || targets.ndim !== 2 || targets.shape[0] !== n)
    throw new ShapeError(
      `mixup: images ${showAval(images.aval)} and targets ${showAval(targets.aval)} must be [N, ...] and [N, K].`,
    );
  const lambda = random.beta(random.foldIn(key, 0), alpha, alpha, [n]);
  const other = random.permutation(random.foldIn(key, 1), n);
  const mix = (x: Tensor): Tensor => {
    const l = reshape(lambda, [n, ...x.shape.slice(1).map(() => 1)]);
    const y = take(x, other, { axis: 0 });
    return add(y, multiply(l, subtract(x, y)));
  };
  return [mix(asFloats(images)), mix(targets)];
}

function imageShape(name: string, images: Tensor): readonly [number, number, number, number] {
  checkTensors(name, { images });
  if (images.ndim !== 4)
    throw new ShapeError(`${name}: images must be [N,H,W,C], but are ${showAval(images.aval)}.`);
  return images.shape as unknown as readonly [number, number, number, number];
}
