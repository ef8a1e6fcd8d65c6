/**
 * Discrete Fourier transforms of any length.
 *
 * There is no complex dtype: a tensor of complex numbers is a tree of two tensors, `{ re, im }`. Everything is linear in
 * both, computed in float64 and rounded to the dtype, on the host of every backend.
 */
import { showAval } from './aval.ts';
import type { DType } from './dtype.ts';
import { OptionError, ShapeError } from './errors.ts';
import { checkInteger, checkOptions, show } from './ops/check.ts';
import { floatOperand, promotePair, type TensorLike } from './ops/convert.ts';
import { compare, convert, div, mul, neg, select, sub } from './primitives/arithmetic.ts';
import { fft as fftPrimitive, type Parts } from './primitives/fft.ts';
import { broadcastTo, concatenate, iota, moveAxis, pad, reverse, slice } from './primitives/movement.ts';
import { scalar } from './primitives/pointwise.ts';
import { broadcastShapes, resolveAxis } from './shape.ts';
import { Tensor } from './tensor.ts';

/** Complex numbers: real and imaginary parts, of one shape and dtype. */
export interface Complex {
  readonly re: Tensor;
  readonly im: Tensor;
}

/** Complex numbers to be transformed, or real ones. */
export type ComplexLike = Complex | TensorLike;

/** Which direction is divided by n: the backward one (by default), the forward one, or both by its root. */
export type FftNorm = 'backward' | 'ortho' | 'forward';

/** Options of transforms along one axis. */
export interface FftOptions {
  /** The length, to which the axis is cut or padded with zeros; its extent by default. */
  readonly n?: number | undefined;
  /** The last axis by default. */
  readonly axis?: number | undefined;
  readonly norm?: FftNorm | undefined;
}

/** Options of transforms along several axes. */
export interface FftnOptions {
  /** One length for each axis; the extents by default. */
  readonly s?: readonly number[] | undefined;
  /** All axes by default; the last two for `fft2` and its like. */
  readonly axes?: readonly number[] | undefined;
  readonly norm?: FftNorm | undefined;
}

/**
 * The discrete Fourier transform: `y_j = Σ x_k e^(-2πi jk/n)`.
 *
 * @param x Floats, or `{ re, im }`.
 * @throws {ShapeError} if the axis is out of range or empty. {OptionError} for bad options.
 * @example fft.fft(tensor([1, 0, 0, 0])).re                    // [1, 1, 1, 1]
 */
export function fft(x: ComplexLike, options: FftOptions = {}): Complex {
  return alongOne('fft', x, options, false);
}

/**
 * The inverse of {@link fft}: `x_k = (1/n) Σ y_j e^(2πi jk/n)`.
 *
 * @throws {ShapeError} if the axis is out of range or empty. {OptionError} for bad options.
 * @example fft.ifft(fft.fft(tensor([1, 2, 3]))).re             // [1, 2, 3]
 */
export function ifft(x: ComplexLike, options: FftOptions = {}): Complex {
  return alongOne('ifft', x, options, true);
}

/**
 * The first half of the transform of real numbers, `n/2 + 1` of n: the others are their conjugates.
 *
 * @param x Floats.
 * @throws {ShapeError} if the axis is out of range or empty. {OptionError} for bad options.
 * @example fft.rfft(ones([8])).re                              // [8, 0, 0, 0, 0]
 */
export function rfft(x: TensorLike, options: FftOptions = {}): Complex {
  const whole = alongOne('rfft', floatOperand('fft.rfft', x), options, false);
  const axis = resolveAxis('fft.rfft', options.axis ?? -1, whole.re.ndim);
  return mapParts(whole, (t) => half(t, axis));
}

/** The part of a spectrum that determines the others where the numbers are real. */
const half = (t: Tensor, axis: number): Tensor =>
  cut(t, axis, 0, Math.floor((t.shape[axis] as number) / 2) + 1);

/**
 * The inverse of {@link rfft}. Imaginary parts that real numbers cannot have are ignored, as in NumPy.
 *
 * @param options.n The number of real results, `2 (m - 1)` for m complex numbers by default: give it if it is odd.
 * @returns Real numbers.
 * @throws {ShapeError} if the axis is out of range or too short. {OptionError} for bad options.
 * @example fft.irfft(fft.rfft(tensor([1, 2, 3])), { n: 3 })    // [1, 2, 3]
 */
export function irfft(x: ComplexLike, options: FftOptions = {}): Tensor {
  checkOptions('fft.irfft', options, ['n', 'axis', 'norm']);
  const given = complexOf('irfft', x);
  const axis = resolveAxis('fft.irfft', options.axis ?? -1, given.re.ndim);
  const n = options.n ?? 2 * ((given.re.shape[axis] as number) - 1);
  const whole = mirrored(given, axis, lengthOf('irfft', n, given.re));
  return transformAlong('irfft', whole, axis, true, options.norm).re;
}

/** A spectrum of n numbers from its first half. */
function mirrored(x: Complex, axis: number, n: number): Complex {
  const first = mapParts(x, (t) => resized(t, axis, Math.floor(n / 2) + 1));
  const others = n - Math.floor(n / 2) - 1;
  if (others === 0) return mapParts(first, (t) => cut(t, axis, 0, n));
  const rest = mapParts(first, (t) => reverse(cut(t, axis, 1, 1 + others), [axis]));
  return {
    re: concatenate([first.re, rest.re], axis),
    im: concatenate([first.im, neg(rest.im)], axis),
  };
}

/**
 * The transform along several axes, all by default.
 * @throws {ShapeError} if an axis is out of range or empty. {OptionError} for bad options.
 * @example fft.fftn(ones([2, 3, 4])).re                        // [2,3,4]
 */
export function fftn(x: ComplexLike, options: FftnOptions = {}): Complex {
  return alongMany('fftn', x, options, false);
}

/**
 * The inverse of {@link fftn}.
 * @throws {ShapeError} if an axis is out of range or empty. {OptionError} for bad options.
 * @example fft.ifftn(fft.fftn(ones([2, 3]))).re                // [[1, 1, 1], [1, 1, 1]]
 */
export function ifftn(x: ComplexLike, options: FftnOptions = {}): Complex {
  return alongMany('ifftn', x, options, true);
}

/**
 * The transform along two axes, the last two by default.
 * @throws {ShapeError} if an axis is out of range or empty. {OptionError} for bad options.
 * @example fft.fft2(ones([2, 2])).re                           // [[4, 0], [0, 0]]
 */
export function fft2(x: ComplexLike, options: FftnOptions = {}): Complex {
  return alongMany('fft2', x, { axes: [-2, -1], ...options }, false);
}

/**
 * The inverse of {@link fft2}.
 * @throws {ShapeError} if an axis is out of range or empty. {OptionError} for bad options.
 * @example fft.ifft2(fft.fft2(ones([2, 2]))).re                // [[1, 1], [1, 1]]
 */
export function ifft2(x: ComplexLike, options: FftnOptions = {}): Complex {
  return alongMany('ifft2', x, { axes: [-2, -1], ...options }, true);
}

/**
 * {@link rfft} along the last of several axes, {@link fft} along the others.
 * @throws {ShapeError} if an axis is out of range or empty. {OptionError} for bad options.
 * @example fft.rfftn(ones([4, 6])).re                          // [4,4]
 */
export function rfftn(x: TensorLike, options: FftnOptions = {}): Complex {
  const t = floatOperand('fft.rfftn', x);
  const { axes, lengths, norm } = manyOf('rfftn', t, options);
  const last = axes.length - 1;
  if (last < 0) throw new ShapeError('fft.rfftn: needs at least one axis, but got none.');
  const first = rfft(t, { n: lengths[last], axis: axes[last], norm });
  return alongMany('rfftn', first, { s: lengths.slice(0, last), axes: axes.slice(0, last), norm }, false);
}

/**
 * The inverse of {@link rfftn}.
 *
 * @param options.s Lengths of the results; that of the last axis is `2 (m - 1)` by default.
 * @throws {ShapeError} if an axis is out of range or too short. {OptionError} for bad options.
 * @example fft.irfftn(fft.rfftn(ones([2, 4])))                 // [[1, 1, 1, 1], [1, 1, 1, 1]]
 */
export function irfftn(x: ComplexLike, options: FftnOptions = {}): Tensor {
  const given = complexOf('irfftn', x);
  const { axes, lengths, norm } = manyOf('irfftn', given.re, options);
  const last = axes.length - 1;
  if (last < 0) throw new ShapeError('fft.irfftn: needs at least one axis, but got none.');
  const rest = { s: lengths.slice(0, last), axes: axes.slice(0, last), norm };
  const n = options.s ? lengths[last] : undefined;
  return irfft(alongMany('irfftn', given, rest, true), { n, axis: axes[last], norm });
}

/**
 * {@link rfftn} of the last two axes.
 * @throws {ShapeError} if an axis is out of range or empty. {OptionError} for bad options.
 * @example fft.rfft2(ones([2, 4, 6])).re                       // [2,4,4]
 */
export function rfft2(x: TensorLike, options: FftnOptions = {}): Complex {
  return rfftn(x, { axes: [-2, -1], ...options });
}

/**
 * The inverse of {@link rfft2}.
 * @throws {ShapeError} if an axis is out of range or too short. {OptionError} for bad options.
 * @example fft.irfft2(fft.rfft2(ones([2, 4])))                 // [[1, 1, 1, 1], [1, 1, 1, 1]]
 */
export function irfft2(x: ComplexLike, options: FftnOptions = {}): Tensor {
  return irfftn(x, { axes: [-2, -1], ...options });
}

/**
 * The transform of numbers whose spectrum is real, from the first half of them; its inverse is {@link ihfft}.
 *
 * @param options.n The length of the spectrum, `2 (m - 1)` for m complex numbers by default.
 * @returns Real numbers.
 * @throws {ShapeError} if the axis is out of range or too short. {OptionError} for bad options.
 * @example fft.hfft({ re: tensor([1, 2, 1]), im: zeros([3]) })   // [6, 0, -2, 0]
 */
export function hfft(x: ComplexLike, options: FftOptions = {}): Tensor {
  checkOptions('fft.hfft', options, ['n', 'axis', 'norm']);
  return irfft(conjugate(complexOf('hfft', x)), { ...options, norm: turned(options.norm) });
}

/**
 * The first half of the inverse transform of a real spectrum.
 * @returns `n / 2 + 1` complex numbers.
 * @throws {ShapeError} if the axis is out of range or empty. {OptionError} for bad options.
 * @example fft.ihfft(tensor([6, 0, -2, 0])).re                 // [1, 2, 1]
 */
export function ihfft(x: TensorLike, options: FftOptions = {}): Complex {
  checkOptions('fft.ihfft', options, ['n', 'axis', 'norm']);
  return conjugate(rfft(x, { ...options, norm: turned(options.norm) }));
}

const conjugate = ({ re, im }: Complex): Complex => ({ re, im: neg(im) });

/** The scale of the other direction. */
const turned = (norm: FftNorm = 'backward'): FftNorm =>
  norm === 'ortho' ? norm : norm === 'backward' ? 'forward' : 'backward';

/**
 * The frequencies of a transform's results: `[0, 1, …, -2, -1] / (n d)`, negative ones in the second half.
 *
 * @param n The length.
 * @param options.d The distance of samples, 1 by default.
 * @throws {OptionError} unless `n` is an integer of at least 1.
 * @example fft.fftfreq(4)                                      // [0, 0.25, -0.5, -0.25]
 */
export function fftfreq(n: number, options: { readonly d?: number; readonly dtype?: DType } = {}): Tensor {
  const { d = 1, dtype = 'float32' } = checkedSampling('fftfreq', n, options);
  const k = iota(n, 'int32');
  const negative = compare('lt', scalar(Math.floor((n - 1) / 2), 'int32'), k);
  const wrapped = select(negative, sub(k, scalar(n, 'int32')), k);
  return div(convert(wrapped, dtype), scalar(n * d, dtype));
}

/**
 * The frequencies of {@link rfft}'s results: `[0, 1, …, n/2] / (n d)`.
 * @throws {OptionError} unless `n` is an integer of at least 1.
 * @example fft.rfftfreq(4)                                     // [0, 0.25, 0.5]
 */
export function rfftfreq(n: number, options: { readonly d?: number; readonly dtype?: DType } = {}): Tensor {
  const { d = 1, dtype = 'float32' } = checkedSampling('rfftfreq', n, options);
  return div(iota(Math.floor(n / 2) + 1, dtype), scalar(n * d, dtype));
}

function checkedSampling<O extends object>(op: string, n: number, options: O): O {
  checkOptions(`fft.${op}`, options, ['d', 'dtype']);
  checkInteger(`fft.${op}`, 'n', n, 1);
  return options;
}

/**
 * Turns axes by half their extent, so that frequency 0 comes to the middle.
 *
 * @param options.axes All by default.
 * @throws {ShapeError} if an axis is out of range.
 * @example fft.fftshift(tensor([0, 1, -2, -1]))                // [-2, -1, 0, 1]
 */
export function fftshift(x: TensorLike, options: { readonly axes?: readonly number[] } = {}): Tensor {
  return shifted('fftshift', x, options, (n) => Math.ceil(n / 2));
}

/**
 * The inverse of {@link fftshift}, which differs from it for odd extents.
 * @throws {ShapeError} if an axis is out of range.
 * @example fft.ifftshift(tensor([-1, 0, 1]))                   // [0, 1, -1]
 */
export function ifftshift(x: TensorLike, options: { readonly axes?: readonly number[] } = {}): Tensor {
  return shifted('ifftshift', x, options, (n) => Math.floor(n / 2));
}

/* ---- pieces ---- */

function shifted(
  op: string,
  x: TensorLike,
  options: { readonly axes?: readonly number[] },
  start: (n: number) => number,
): Tensor {
  checkOptions(`fft.${op}`, options, ['axes']);
  const t = x instanceof Tensor ? x : floatOperand(`fft.${op}`, x);
  const axes = (options.axes ?? Array.from(t.shape.keys())).map((a) => resolveAxis(`fft.${op}`, a, t.ndim));
  return axes.reduce((y, axis) => {
    const n = y.shape[axis] as number;
    const from = start(n);
    return n < 2 ? y : concatenate([cut(y, axis, from, n), cut(y, axis, 0, from)], axis);
  }, t);
}

function alongOne(op: string, x: ComplexLike, options: FftOptions, inverse: boolean): Complex {
  checkOptions(`fft.${op}`, options, ['n', 'axis', 'norm']);
  const given = complexOf(op, x);
  const axis = resolveAxis(`fft.${op}`, options.axis ?? -1, given.re.ndim);
  const n = lengthOf(op, options.n ?? (given.re.shape[axis] as number), given.re);
  return transformAlong(
    op,
    mapParts(given, (t) => resized(t, axis, n)),
    axis,
    inverse,
    options.norm,
  );
}

function alongMany(op: string, x: ComplexLike, options: FftnOptions, inverse: boolean): Complex {
  const given = complexOf(op, x);
  const { axes, lengths, norm } = manyOf(op, given.re, options);
  return axes.reduce((y, axis, i) => {
    const n = lengthOf(op, lengths[i] as number, given.re);
    return transformAlong(
      op,
      mapParts(y, (t) => resized(t, axis, n)),
      axis,
      inverse,
      norm,
    );
  }, given);
}

function manyOf(op: string, x: Tensor, options: FftnOptions) {
  checkOptions(`fft.${op}`, options, ['s', 'axes', 'norm']);
  const { s, norm } = options;
  const given = options.axes ?? Array.from(x.shape.keys()).slice(s ? -s.length : 0);
  const axes = given.map((a) => resolveAxis(`fft.${op}`, a, x.ndim));
  if (s && s.length !== axes.length)
    throw new OptionError(`fft.${op}: s is one length for each of ${axes.length} axes, but got ${show(s)}.`);
  const lengths = s ?? axes.map((axis) => x.shape[axis] as number);
  return { axes, lengths, norm };
}

function transformAlong(
  op: string,
  { re, im }: Complex,
  axis: number,
  inverse: boolean,
  norm: FftNorm = 'backward',
): Complex {
  const n = re.shape[axis] as number;
  const factor = {
    backward: inverse ? 1 / n : 1,
    ortho: 1 / Math.sqrt(n),
    forward: inverse ? 1 : 1 / n,
  }[norm];
  if (factor === undefined)
    throw new OptionError(`fft.${op}: norm is 'backward', 'ortho' or 'forward', but got ${show(norm)}.`);
  const last = re.ndim - 1;
  const parts = [re, im].map((t) => moveAxis(t, axis, last)) as Parts;
  const [a, b] = fftPrimitive(parts, inverse).map((t) =>
    moveAxis(mul(t, scalar(factor, t.dtype)), last, axis),
  );
  return { re: a as Tensor, im: b as Tensor };
}

/** Real and imaginary parts of one float dtype and one shape. */
function complexOf(op: string, x: ComplexLike): Complex {
  if (x instanceof Tensor || typeof x !== 'object' || x === null) {
    const re = floatOperand(`fft.${op}`, x);
    return { re, im: broadcastTo(scalar(0, re.dtype), re.shape) };
  }
  const [re, im] = promotePair(`fft.${op}`, x.re, x.im).map((t) => floatOperand(`fft.${op}`, t)) as Parts;
  const shape = broadcastShapes(`fft.${op}`, re.shape, im.shape);
  return { re: broadcastTo(re, shape), im: broadcastTo(im, shape) };
}

const mapParts = ({ re, im }: Complex, f: (t: Tensor) => Tensor): Complex => ({ re: f(re), im: f(im) });

function lengthOf(op: string, n: number, x: Tensor): number {
  if (Number.isInteger(n) && n >= 1) return n;
  throw new ShapeError(
    `fft.${op}: a transform has a length of at least 1, but got ${show(n)} for ${showAval(x.aval)}.`,
  );
}

/** An axis cut, or padded with zeros, to extent n. */
function resized(t: Tensor, axis: number, n: number): Tensor {
  const zeros = t.shape.map(() => 0);
  const high = n - (t.shape[axis] as number);
  return pad(t, zeros, zeros.with(axis, high), zeros);
}

const cut = (t: Tensor, axis: number, start: number, limit: number): Tensor =>
  slice(
    t,
    t.shape.map((_, i) => (i === axis ? start : 0)),
    t.shape.with(axis, limit),
    t.shape.map(() => 1),
  );
