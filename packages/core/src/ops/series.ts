/** Vectors as samples of functions: differences, integrals, convolutions, polynomials. */
import { showAval } from '../aval.ts';
import { isFloat } from '../dtype.ts';
import { OptionError, ShapeError } from '../errors.ts';
import * as p from '../primitives/arithmetic.ts';
import * as m from '../primitives/movement.ts';
import { scalar } from '../primitives/pointwise.ts';
import { resolveAxis } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { floorDivide } from './arithmetic.ts';
import { checkInteger, checkOptions, show } from './check.ts';
import { conv } from './conv.ts';
import { floatOperand, numericOperand, promoteOperands, type TensorLike } from './convert.ts';
import { cumsum } from './cumulative.ts';
import { sum } from './reduce.ts';

function along(x: Tensor, axis: number, from: number, to: number): Tensor {
  return m.slice(
    x,
    x.shape.map((_, i) => (i === axis ? from : 0)),
    x.shape.map((n, i) => (i === axis ? to : n)),
    x.shape.map(() => 1),
  );
}

/**
 * Differences of neighbours along an axis: `x[i + 1] - x[i]`, `n` times.
 * @param options.n 1 by default. @param options.axis The last one by default.
 * @returns `x`, shorter by `n` along the axis; bools are compared.
 * @throws {ShapeError} if the axis is out of range. {OptionError} if `n` is no integer of at least 0.
 * @example diff(tensor([1, 4, 9]))                         // [3, 5]
 */
export function diff(
  x: TensorLike,
  options: { readonly n?: number | undefined; readonly axis?: number | undefined } = {},
): Tensor {
  checkOptions('diff', options, ['n', 'axis']);
  const { n = 1 } = options;
  checkInteger('diff', 'n', n, 0);
  const t = numericOperand('diff', x);
  const axis = resolveAxis('diff', options.axis ?? -1, t.ndim);
  let result = t;
  for (let i = 0; i < n; i++) {
    const extent = result.shape[axis] as number;
    if (extent === 0) return result;
    result = p.sub(along(result, axis, 1, extent), along(result, axis, 0, extent - 1));
  }
  return result;
}

/**
 * The differences of neighbours of all elements, perhaps with others before and behind.
 * @param options.before Values before them. @param options.after Values behind them.
 * @returns A vector.
 * @example ediff1d(tensor([1, 4, 9]), { before: 0 })       // [0, 3, 5]
 */
export function ediff1d(
  x: TensorLike,
  options: { readonly before?: TensorLike | undefined; readonly after?: TensorLike | undefined } = {},
): Tensor {
  checkOptions('ediff1d', options, ['before', 'after']);
  const t = numericOperand('ediff1d', x);
  const inner = diff(m.reshape(t, [t.size]));
  const { before, after } = options;
  const parts = [...(before === undefined ? [] : [before]), inner, ...(after === undefined ? [] : [after])];
  const vectors = promoteOperands('ediff1d', ...parts).map((v) => m.reshape(v, [v.size]));
  return m.concatenate(vectors, 0);
}

/**
 * Slopes along an axis: central differences inside, one-sided ones at the ends.
 *
 * @param options.spacing The distance of neighbours; 1 by default. @param options.axis The last one by default.
 * @returns The shape of `x`; integers become `float32`.
 * @throws {ShapeError} if the axis is out of range, or has fewer than two elements.
 * @example gradient(tensor([1, 2, 4, 8]))                  // [1, 1.5, 3, 4]
 */
export function gradient(
  x: TensorLike,
  options: { readonly spacing?: number | undefined; readonly axis?: number | undefined } = {},
): Tensor {
  checkOptions('gradient', options, ['spacing', 'axis']);
  const t = floatOperand('gradient', x);
  const axis = resolveAxis('gradient', options.axis ?? -1, t.ndim);
  const n = t.shape[axis] as number;
  if (n < 2)
    throw new ShapeError(`gradient: needs at least two elements along axis ${axis} of ${showAval(t.aval)}.`);
  const step = (from: number, to: number): Tensor =>
    p.sub(along(t, axis, from, from + 1), along(t, axis, to, to + 1));
  const half = scalar(0.5, t.dtype);
  const inside = n > 2 ? [p.mul(p.sub(along(t, axis, 2, n), along(t, axis, 0, n - 2)), half)] : [];
  const slopes = m.concatenate([step(1, 0), ...inside, step(n - 1, n - 2)], axis);
  return p.div(slopes, scalar(options.spacing ?? 1, t.dtype));
}

/**
 * The integral by the trapezoidal rule.
 *
 * @param options.x The abscissas along the axis. @param options.dx Their distance, 1 by default.
 * @param options.axis The last one by default.
 * @returns `y` without the axis; integers become `float32`.
 * @throws {ShapeError} if the abscissas do not fit, or the axis is out of range.
 * @example trapezoid(tensor([1, 2, 3]))                    // 4
 */
export function trapezoid(
  y: TensorLike,
  options: {
    readonly x?: TensorLike | undefined;
    readonly dx?: number | undefined;
    readonly axis?: number | undefined;
  } = {},
): Tensor {
  checkOptions('trapezoid', options, ['x', 'dx', 'axis']);
  const given = floatOperand('trapezoid', y);
  const axis = resolveAxis('trapezoid', options.axis ?? -1, given.ndim);
  const t = m.moveAxis(given, axis, given.ndim - 1);
  const n = t.shape.at(-1) as number;
  const last = t.ndim - 1;
  const middles = p.mul(p.add(along(t, last, 1, n), along(t, last, 0, n - 1)), scalar(0.5, t.dtype));
  if (options.x === undefined) return p.mul(sum(middles, { axis: -1 }), scalar(options.dx ?? 1, t.dtype));
  const places = p.convert(floatOperand('trapezoid', options.x), t.dtype);
  if (places.ndim !== 1 || places.size !== n)
    throw new ShapeError(
      `trapezoid: x is a vector along axis ${axis} of ${showAval(given.aval)}, but is ${showAval(places.aval)}.`,
    );
  return sum(p.mul(middles, diff(places)), { axis: -1 });
}

/**
 * Angles without jumps: multiples of the period are added, so that neighbours are at most half a period apart.
 *
 * @param options.period `2π` by default. @param options.axis The last one by default.
 * @returns The shape of `x`; integers become `float32`.
 * @throws {ShapeError} if the axis is out of range.
 * @example unwrap(tensor([0, 3, -3]))                      // [0, 3, 3.283185]
 */
export function unwrap(
  x: TensorLike,
  options: { readonly period?: number | undefined; readonly axis?: number | undefined } = {},
): Tensor {
  checkOptions('unwrap', options, ['period', 'axis']);
  const t = floatOperand('unwrap', x);
  const axis = resolveAxis('unwrap', options.axis ?? -1, t.ndim);
  const n = t.shape[axis] as number;
  if (n < 2) return t;
  const period = options.period ?? 2 * Math.PI;
  const half = scalar(period / 2, t.dtype);
  const steps = diff(t, { axis });
  const turns = floorDivide(p.add(steps, half), scalar(period, t.dtype));
  const within = p.sub(steps, p.mul(turns, scalar(period, t.dtype)));
  const isEdge = p.and(p.compare('eq', within, p.neg(half)), p.compare('lt', scalar(0, t.dtype), steps));
  const change = p.select(isEdge, p.sub(p.neg(turns), scalar(-1, t.dtype)), p.neg(turns));
  const added = p.mul(cumsum(change, { axis }), scalar(period, t.dtype));
  return m.concatenate([along(t, axis, 0, 1), p.add(along(t, axis, 1, n), added)], axis);
}

/** Which part of a convolution {@link convolve} returns. */
export type ConvolveMode = 'full' | 'same' | 'valid';

/**
 * The convolution of two vectors: `z[k] = Σ x[i] y[k - i]`.
 *
 * @param mode `full` (the default): all `N + M - 1` sums; `same`: the middle `max(N, M)`; `valid`: those without edges.
 * @throws {ShapeError} unless both are vectors with elements. {OptionError} for another mode.
 * @example convolve(tensor([1, 2, 3]), tensor([1, 1]))     // [1, 3, 5, 3]
 */
export function convolve(x: TensorLike, y: TensorLike, mode: ConvolveMode = 'full'): Tensor {
  const [a, b] = vectors('convolve', x, y, mode);
  return slid(a, b, mode);
}

/**
 * The correlation of two vectors: `z[k] = Σ x[i + k] y[i]`.
 * @param mode `valid` (the default), `same` or `full`, as in {@link convolve}.
 * @throws {ShapeError} unless both are vectors with elements. {OptionError} for another mode.
 * @example correlate(tensor([1, 2, 3]), tensor([1, 1]))    // [3, 5]
 */
export function correlate(x: TensorLike, y: TensorLike, mode: ConvolveMode = 'valid'): Tensor {
  const [a, b] = vectors('correlate', x, y, mode);
  return slid(a, m.reverse(b, [0]), mode);
}

function vectors(op: string, x: TensorLike, y: TensorLike, mode: ConvolveMode): [Tensor, Tensor] {
  const [a, b] = promoteOperands(op, floatOperand(op, x), floatOperand(op, y)) as [Tensor, Tensor];
  if (a.ndim !== 1 || b.ndim !== 1 || a.size === 0 || b.size === 0)
    throw new ShapeError(
      `${op}: needs two vectors with elements, but got ${showAval(a.aval)} and ${showAval(b.aval)}.`,
    );
  if (mode !== 'full' && mode !== 'same' && mode !== 'valid')
    throw new OptionError(`${op}: mode is 'full', 'same' or 'valid', but got ${show(mode)}.`);
  return [a, b];
}

/** By the convolution of images: one channel, the shorter vector as the filter. */
function slid(a: Tensor, b: Tensor, mode: ConvolveMode): Tensor {
  const [long, short] = a.size >= b.size ? [a, b] : [b, a];
  const [n, k] = [long.size, short.size];
  const before = mode === 'full' ? k - 1 : mode === 'same' ? Math.floor(k / 2) : 0;
  const after = mode === 'full' ? k - 1 : mode === 'same' ? k - 1 - before : 0;
  const filter = m.reshape(m.reverse(short, [0]), [k, 1, 1]);
  const z = conv(m.reshape(long, [1, n, 1]), filter, { padding: [[before, after]] });
  return m.reshape(z, [z.shape[1] as number]);
}

/* ---- polynomials: coefficients from the highest power down, as in NumPy ---- */

function coefficients(op: string, x: TensorLike): Tensor {
  const t = numericOperand(op, x);
  if (t.ndim !== 1) throw new ShapeError(`${op}: coefficients are a vector, but are ${showAval(t.aval)}.`);
  return t;
}

/**
 * The value of a polynomial, by Horner's rule.
 * @param polynomial Coefficients from the highest power down.
 * @returns The shape of `x`.
 * @throws {ShapeError} unless the coefficients are a vector.
 * @example polyval(tensor([1, 0, -1]), tensor([2, 3]))     // [3, 8]
 */
export function polyval(polynomial: TensorLike, x: TensorLike): Tensor {
  const [c, t] = promoteOperands(
    'polyval',
    coefficients('polyval', polynomial),
    numericOperand('polyval', x),
  ) as [Tensor, Tensor];
  const n = c.size;
  const coefficient = (i: number): Tensor => m.reshape(along(c, 0, i, i + 1), []);
  let value = m.broadcastTo(scalar(0, t.dtype), t.shape);
  for (let i = 0; i < n; i++)
    value = i === 0 ? p.add(value, coefficient(i)) : p.add(p.mul(value, t), coefficient(i));
  return value;
}

/**
 * The sum of two polynomials.
 * @throws {ShapeError} unless the coefficients are vectors.
 * @example polyadd(tensor([1, 2, 3]), tensor([1]))         // [1, 2, 4]
 */
export function polyadd(x: TensorLike, y: TensorLike): Tensor {
  return p.add(...aligned('polyadd', x, y));
}

/**
 * The difference of two polynomials.
 * @throws {ShapeError} unless the coefficients are vectors.
 * @example polysub(tensor([1, 2, 3]), tensor([1]))         // [1, 2, 2]
 */
export function polysub(x: TensorLike, y: TensorLike): Tensor {
  return p.sub(...aligned('polysub', x, y));
}

function aligned(op: string, x: TensorLike, y: TensorLike): [Tensor, Tensor] {
  const pair = promoteOperands(op, coefficients(op, x), coefficients(op, y)) as [Tensor, Tensor];
  const longest = Math.max(pair[0].size, pair[1].size);
  return pair.map((c) => m.pad(c, [longest - c.size], [0], [0])) as [Tensor, Tensor];
}

/**
 * The product of two polynomials.
 * @throws {ShapeError} unless the coefficients are vectors.
 * @example polymul(tensor([1, 1]), tensor([1, -1]))        // [1, 0, -1]
 */
export function polymul(x: TensorLike, y: TensorLike): Tensor {
  return convolve(coefficients('polymul', x), coefficients('polymul', y));
}

/**
 * The derivative of a polynomial, `n` times.
 * @throws {ShapeError} unless the coefficients are a vector. {OptionError} if `n` is no integer of at least 0.
 * @example polyder(tensor([1, 2, 3]))                      // [2, 2]
 */
export function polyder(polynomial: TensorLike, n = 1): Tensor {
  checkInteger('polyder', 'n', n, 0);
  let c = coefficients('polyder', polynomial);
  for (let i = 0; i < n; i++) {
    if (c.size === 0) return c;
    c = p.mul(along(c, 0, 0, c.size - 1), descending(c.size - 1, c));
  }
  return c;
}

/**
 * The integral of a polynomial, with constant 0.
 * @returns Floats, one more.
 * @throws {ShapeError} unless the coefficients are a vector.
 * @example polyint(tensor([2, 2]))                         // [1, 2, 0]
 */
export function polyint(polynomial: TensorLike): Tensor {
  const t = coefficients('polyint', polynomial);
  const c = isFloat(t.dtype) ? t : p.convert(t, 'float32');
  return m.pad(p.div(c, descending(c.size, c)), [0], [1], [0]);
}

/** n, n - 1, …, 1 */
const descending = (n: number, like: Tensor): Tensor => p.sub(scalar(n, like.dtype), m.iota(n, like.dtype));
