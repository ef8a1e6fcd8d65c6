import { showAval } from '../aval.ts';
import { OptionError, ShapeError } from '../errors.ts';
import { checkOptions, show, toShape } from '../ops/check.ts';
import { floatOperand, operand, placed } from '../ops/convert.ts';
import { take } from '../ops/indexing.ts';
import { matmul } from '../ops/linalg.ts';
import { moveAxis } from '../primitives/movement.ts';
import { resolveAxis } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

/**
 * How values between samples are found: the `nearest` sample, or a weighted sum of samples around: `linear` of two
 * (`bilinear` and `trilinear` are the same), `cubic` of four (Keys, a = -1/2), `lanczos3` of six, `lanczos5` of ten.
 */
export type ResizeMethod =
  | 'nearest'
  | 'linear'
  | 'bilinear'
  | 'trilinear'
  | 'cubic'
  | 'bicubic'
  | 'lanczos3'
  | 'lanczos5';

/** Options of {@link resize}. */
export interface ResizeOptions {
  /** Whether kernels grow where the image shrinks, so that all samples count; true by default. */
  readonly antialias?: boolean | undefined;
}

type Kernel = (x: number) => number;

const triangle: Kernel = (x) => Math.max(0, 1 - x);

const keys: Kernel = (x) => {
  if (x >= 2) return 0;
  return x >= 1 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : (1.5 * x - 2.5) * x * x + 1;
};

const lanczos =
  (radius: number): Kernel =>
  (x) => {
    if (x > radius) return 0;
    if (x <= 1e-3) return 1;
    return (radius * Math.sin(Math.PI * x) * Math.sin((Math.PI * x) / radius)) / (Math.PI * x) ** 2;
  };

/** By the distance from a sample. */
const kernels: Readonly<Record<Exclude<ResizeMethod, 'nearest'>, Kernel>> = {
  linear: triangle,
  bilinear: triangle,
  trilinear: triangle,
  cubic: keys,
  bicubic: keys,
  lanczos3: lanczos(3),
  lanczos5: lanczos(5),
};

/**
 * An image of another size, as `jax.image.resize`: samples stand in the middle of pixels, and at the edges the weights of the
 * samples that exist are scaled to sum 1. A linear map along each axis, with its exact adjoint as gradient.
 *
 * @param image Floats, or integers, which become `float32` unless the method is `nearest`.
 * @param shape Of the result, with as many axes; only those that differ are resized.
 * @throws {ShapeError} if the shape has another number of axes, or an empty axis grows. {OptionError} for an unknown method.
 * @example image.resize(tensor([0, 2]), [4], 'linear')         // [0, 0.5, 1.5, 2]
 */
export function resize(
  image: Tensor,
  shape: readonly number[],
  method: ResizeMethod,
  options: ResizeOptions = {},
): Tensor {
  const op = 'image.resize';
  checkOptions(op, options, ['antialias']);
  checkMethod(op, method);
  const target = toShape(op, shape);
  const x = method === 'nearest' ? operand(op, image) : floatOperand(op, image);
  const grows = x.shape.some((n, i) => n === 0 && target[i] !== 0);
  if (target.length !== x.ndim || grows)
    throw new ShapeError(`${op}: ${showAval(x.aval)} cannot become an image of shape [${target}].`);
  return target.reduce((y, extent, axis) => {
    const n = y.shape[axis] as number;
    if (extent === n) return y;
    if (method === 'nearest') return take(y, nearest(n, extent), { axis });
    const place = { scale: extent / n, translation: 0 };
    return alongAxis(y, axis, weights(n, extent, place, kernels[method], options.antialias ?? true));
  }, x);
}

/**
 * An image scaled and moved along some axes, as `jax.image.scale_and_translate`: the sample at x goes to `scale x +
 * translation` in a result of another size, which is 0 where it shows what lies outside of the image.
 *
 * @param image Floats; integers become `float32`.
 * @param shape Of the result, with as many axes.
 * @param axes Those that are scaled.
 * @param place `scale` and `translation`, a number for each of `axes`.
 * @param method Any but `nearest`.
 * @throws {ShapeError} if the shape does not fit. {OptionError} for an unknown method or other than one number for each axis.
 * @example image.scaleAndTranslate(tensor([1, 2]), [3], [0], { scale: [1], translation: [1] }, 'linear')   // [0, 1, 2]
 */
export function scaleAndTranslate(
  image: Tensor,
  shape: readonly number[],
  axes: readonly number[],
  place: { readonly scale: readonly number[]; readonly translation: readonly number[] },
  method: Exclude<ResizeMethod, 'nearest'>,
  options: ResizeOptions = {},
): Tensor {
  const op = 'image.scaleAndTranslate';
  checkOptions(op, options, ['antialias']);
  checkOptions(op, place, ['scale', 'translation']);
  checkMethod(op, method);
  const kernel = kernels[method];
  if (!kernel) throw new OptionError(`${op}: the nearest sample is no kernel; use image.resize().`);
  const target = toShape(op, shape);
  const x = floatOperand(op, image);
  const { scale, translation } = place;
  const chosen = axes.map((axis) => resolveAxis(op, axis, x.ndim));
  const isNumber = (v: number | undefined): boolean => v !== undefined && Number.isFinite(v);
  if (
    [scale, translation].some((list) => list.length !== chosen.length || !list.every(isNumber)) ||
    scale.some((s) => s <= 0)
  )
    throw new OptionError(
      `${op}: scale (positive) and translation are a number for each of ${chosen.length} axes, but are ${show(scale)} and ${show(translation)}.`,
    );
  if (target.length !== x.ndim || target.some((n, i) => n !== x.shape[i] && !chosen.includes(i)))
    throw new ShapeError(
      `${op}: ${showAval(x.aval)} with axes [${chosen}] scaled cannot become an image of shape [${target}].`,
    );
  return chosen.reduce((y, axis, i) => {
    const [n, extent] = [y.shape[axis] as number, target[axis] as number];
    const where = { scale: scale[i] as number, translation: translation[i] as number };
    return alongAxis(y, axis, weights(n, extent, where, kernel, options.antialias ?? true));
  }, x);
}

function checkMethod(op: string, method: ResizeMethod): void {
  const known = ['nearest', ...Object.keys(kernels)];
  if (!known.includes(method))
    throw new OptionError(`${op}: method is one of ${known.join(', ')}, but got ${show(method)}.`);
}

const nearest = (n: number, extent: number): number[] =>
  Array.from({ length: extent }, (_, i) => Math.floor(((i + 0.5) * n) / extent));

interface Weights {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float64Array;
}

/** [n, extent]: what each sample contributes to each result. */
function weights(
  n: number,
  extent: number,
  { scale, translation }: { scale: number; translation: number },
  kernel: Kernel,
  antialias: boolean,
): Weights {
  const width = antialias ? Math.max(1, 1 / scale) : 1;
  const values = new Float64Array(n * extent);
  for (let j = 0; j < extent; j++) {
    const at = (j + 0.5 - translation) / scale - 0.5;
    if (at < -0.5 || at > n - 0.5) continue;
    const column = Array.from({ length: n }, (_, i) => kernel(Math.abs(at - i) / width));
    const total = column.reduce((sum, w) => sum + w, 0);
    if (Math.abs(total) > 1000 * 2 ** -23)
      for (const [i, w] of column.entries()) values[i * extent + j] = w / total;
  }
  return { rows: n, columns: extent, values };
}

function alongAxis(x: Tensor, axis: number, { rows, columns, values }: Weights): Tensor {
  const last = x.ndim - 1;
  const y = matmul(moveAxis(x, axis, last), placed(x.dtype, [rows, columns], values));
  return moveAxis(y, last, axis);
}
