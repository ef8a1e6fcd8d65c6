/** Operations that rearrange elements. None of them changes its argument; all are differentiable. */
import { showAval } from '../aval.ts';
import { OptionError, ShapeError } from '../errors.ts';
import * as m from '../primitives/movement.ts';
import { resolveAxes, resolveAxis, resolveEach, type Shape, sizeOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { checkInteger, checkOptions, perAxis, type ShapeLike, show, toShape } from './check.ts';
import { operand, type TensorLike } from './convert.ts';

/**
 * The same elements in row-major order, in another shape.
 *
 * @param shape Extents, of which one may be -1: it is what remains.
 * @throws {ShapeError} if the number of elements differs.
 * @example reshape(arange(6), [2, -1])            // [2,3]
 */
export function reshape(x: TensorLike, shape: ShapeLike): Tensor {
  const t = operand('reshape', x);
  const wanted: number[] = Array.isArray(shape) ? [...shape] : [shape as number];
  const open = wanted.indexOf(-1);
  if (open >= 0) {
    const rest = wanted.reduce((n, extent, i) => (i === open ? n : n * extent), 1);
    wanted[open] = rest > 0 && t.size % rest === 0 ? t.size / rest : 0;
  }
  const target = toShape('reshape', wanted);
  if (sizeOf(target) !== t.size || (open >= 0 && t.size === 0 && target.filter((n) => n === 0).length !== 1))
    throw new ShapeError(
      `reshape: ${showAval(t.aval)} has ${t.size} elements, which do not fill [${String(shape)}]` +
        `${open >= 0 ? ' for any value of -1' : ` (${sizeOf(target)})`}.`,
    );
  return m.reshape(t, target);
}

/** All elements in row-major order, in one axis. @example ravel(ones([2, 3]))   // [6] */
export function ravel(x: TensorLike): Tensor {
  const t = operand('ravel', x);
  return m.reshape(t, [t.size]);
}

/**
 * The axes in another order.
 *
 * @param perm Axis `i` of the result is axis `perm[i]` of `x`; reversed by default.
 * @throws {ShapeError} unless `perm` names each axis once.
 * @example transpose(ones([2, 3, 4]), [0, 2, 1])  // [2,4,3]
 */
export function transpose(x: TensorLike, perm?: Shape): Tensor {
  const t = operand('transpose', x);
  if (perm === undefined)
    return m.transpose(
      t,
      t.shape.map((_, i) => t.ndim - 1 - i),
    );
  const axes = resolveEach('transpose', perm, t.ndim);
  if (axes.length !== t.ndim || new Set(axes).size !== t.ndim)
    throw new ShapeError(
      `transpose: perm names each of the ${t.ndim} axes of ${showAval(t.aval)} once, but is [${axes}].`,
    );
  return m.transpose(t, axes);
}

/**
 * Two axes exchanged.
 * @throws {ShapeError} if an axis is out of range.
 * @example swapaxes(ones([2, 3, 4]), 0, -1)       // [4,3,2]
 */
export function swapaxes(x: TensorLike, axis1: number, axis2: number): Tensor {
  const t = operand('swapaxes', x);
  const [a, b] = [resolveAxis('swapaxes', axis1, t.ndim), resolveAxis('swapaxes', axis2, t.ndim)];
  return m.transpose(
    t,
    t.shape.map((_, i) => (i === a ? b : i === b ? a : i)),
  );
}

/**
 * One axis moved; the others keep their order.
 * @throws {ShapeError} if an axis is out of range.
 * @example moveaxis(ones([2, 3, 4]), 0, -1)       // [3,4,2]
 */
export function moveaxis(x: TensorLike, source: number, destination: number): Tensor {
  const t = operand('moveaxis', x);
  return m.moveAxis(t, resolveAxis('moveaxis', source, t.ndim), resolveAxis('moveaxis', destination, t.ndim));
}

/**
 * New axes of extent 1.
 *
 * @param axis Where they are in the result.
 * @throws {ShapeError} if an axis is out of range or named twice.
 * @example expandDims(ones([2, 3]), 0)            // [1,2,3]
 */
export function expandDims(x: TensorLike, axis: number | readonly number[]): Tensor {
  const t = operand('expandDims', x);
  const rank = t.ndim + (Array.isArray(axis) ? axis.length : 1);
  const axes = resolveAxes('expandDims', axis, rank);
  const rest = [...t.shape];
  return m.reshape(
    t,
    Array.from({ length: rank }, (_, i) => (axes.includes(i) ? 1 : (rest.shift() as number))),
  );
}

/**
 * Without axes of extent 1.
 *
 * @param options.axis Which; all of them by default.
 * @throws {ShapeError} if an axis has another extent, is out of range or named twice.
 * @example squeeze(ones([1, 3, 1]), { axis: 0 })  // [3,1]
 */
export function squeeze(x: TensorLike, options: { readonly axis?: number | readonly number[] } = {}): Tensor {
  checkOptions('squeeze', options, ['axis']);
  const t = operand('squeeze', x);
  const axes = resolveAxes('squeeze', options.axis, t.ndim).filter(
    (i) => options.axis !== undefined || t.shape[i] === 1,
  );
  const wide = axes.find((i) => t.shape[i] !== 1);
  if (wide !== undefined)
    throw new ShapeError(
      `squeeze: axis ${wide} of ${showAval(t.aval)} has extent ${t.shape[wide]}; only axes of extent 1 can go.`,
    );
  return m.reshape(
    t,
    t.shape.filter((_, i) => !axes.includes(i)),
  );
}

/**
 * `x` repeated along axes of extent 1 and along new leading axes.
 * @throws {ShapeError} if it does not stretch to that shape.
 * @example broadcastTo(tensor([1, 2]), [3, 2])    // [[1, 2], [1, 2], [1, 2]]
 */
export function broadcastTo(x: TensorLike, shape: ShapeLike): Tensor {
  const t = operand('broadcastTo', x);
  const target = toShape('broadcastTo', shape);
  const lead = target.length - t.ndim;
  if (lead < 0 || t.shape.some((n, i) => n !== 1 && n !== target[lead + i]))
    throw new ShapeError(
      `broadcastTo: ${showAval(t.aval)} does not stretch to [${target}]; aligned at the right, its extents must be equal or 1.`,
    );
  return m.broadcastTo(t, target);
}

/** What {@link slice} takes of one axis. */
export type Range = number | null | readonly [start: number | null, stop?: number | null, step?: number];

/**
 * Part of a tensor, as NumPy's `x[…]`: for each axis an index, a range, or `null` for everything.
 *
 * @param ranges One entry for each axis; axes without one are taken whole.
 *   - `i` takes one position, and the axis goes. Negative ones count from the end.
 *   - `[start, stop, step]` is NumPy's `start:stop:step`: `stop` is not included, `null` and what is left out mean the
 *     end, bounds beyond the ends are cut, a negative step walks backwards.
 * @throws {ShapeError} if an index is out of range or there are more entries than axes.
 * @throws {OptionError} if an entry holds anything but integers.
 * @example
 * slice(x, [0])                                   // x[0]
 * slice(x, [null, [1, -1]])                       // x[:, 1:-1]
 * slice(x, [[null, null, -1]])                    // x[::-1]
 */
export function slice(x: TensorLike, ranges: readonly Range[]): Tensor {
  return sliced('slice', operand('slice', x), ranges);
}

/** {@link slice} on behalf of an operation; `of` is what messages call the tensor. */
export function sliced(op: string, t: Tensor, ranges: readonly Range[], of = showAval(t.aval)): Tensor {
  if (!Array.isArray(ranges) || ranges.length > t.ndim)
    throw new ShapeError(
      `${op}: takes an array of at most ${t.ndim} ranges for ${of}, but got ${show(ranges)}.`,
    );
  const bounds = t.shape.map((extent, axis) => boundsOf(op, ranges[axis] ?? null, extent, axis, of));
  const backwards = bounds.flatMap(({ reversed }, axis) => (reversed ? [axis] : []));
  const part = m.slice(
    t,
    bounds.map((b) => b.start),
    bounds.map((b) => b.limit),
    bounds.map((b) => b.stride),
  );
  const kept = part.shape.filter((_, axis) => typeof ranges[axis] !== 'number');
  return m.reshape(m.reverse(part, backwards), kept);
}

interface Bounds {
  readonly start: number;
  readonly limit: number;
  readonly stride: number;
  readonly reversed: boolean;
}

function boundsOf(op: string, range: Range, extent: number, axis: number, of: string): Bounds {
  if (range === null) return { start: 0, limit: extent, stride: 1, reversed: false };
  if (typeof range === 'number') {
    if (!Number.isInteger(range)) refuseRange(op, range, axis);
    if (range < -extent || range >= extent)
      throw new ShapeError(`${op}: index ${range} is out of range for axis ${axis} of ${of}.`);
    const start = range < 0 ? range + extent : range;
    return { start, limit: start + 1, stride: 1, reversed: false };
  }
  if (!Array.isArray(range) || range.length > 3) refuseRange(op, range, axis);
  const [from = null, to = null, step = 1] = range;
  if (![from ?? 0, to ?? 0, step].every(Number.isInteger) || step === 0) refuseRange(op, range, axis);
  const [least, most] = step > 0 ? [0, extent] : [-1, extent - 1]; // where a position may be, walking that way
  const clamp = (n: number): number => Math.min(Math.max(n < 0 ? n + extent : n, least), most);
  const first = from === null ? (step > 0 ? 0 : most) : clamp(from);
  const end = to === null ? (step > 0 ? extent : -1) : clamp(to);
  const count = Math.max(0, Math.ceil((end - first) / step));
  if (count === 0) return { start: 0, limit: 0, stride: 1, reversed: false };
  const last = first + (count - 1) * step;
  const [low, high] = step > 0 ? [first, last] : [last, first];
  return { start: low, limit: high + 1, stride: Math.abs(step), reversed: step < 0 };
}

function refuseRange(op: string, range: unknown, axis: number): never {
  throw new OptionError(
    `${op}: the entry for axis ${axis} is an integer, null, or [start, stop, step] with a step that is not 0, ` +
      `but got ${show(range)}.`,
  );
}

/**
 * The order of elements reversed.
 *
 * @param options.axis Along which axis or axes; all by default.
 * @throws {ShapeError} if an axis is out of range or named twice.
 * @example flip(tensor([1, 2, 3]))                // [3, 2, 1]
 */
export function flip(x: TensorLike, options: { readonly axis?: number | readonly number[] } = {}): Tensor {
  checkOptions('flip', options, ['axis']);
  const t = operand('flip', x);
  return m.reverse(t, resolveAxes('flip', options.axis, t.ndim));
}

/**
 * Copies of `x` laid behind one another.
 *
 * @param reps How often along each axis, aligned at the right; a number is for the last axis.
 * @throws {OptionError} if a count is no integer of at least 0.
 * @example tile(tensor([1, 2]), [2, 2])           // [[1, 2, 1, 2], [1, 2, 1, 2]]
 */
export function tile(x: TensorLike, reps: number | readonly number[]): Tensor {
  const t = operand('tile', x);
  const given: readonly number[] = Array.isArray(reps) ? reps : [reps as number];
  const rank = Math.max(t.ndim, given.length);
  const counts = perAxis(
    'tile',
    'reps',
    [...new Array<number>(rank - given.length).fill(1), ...given],
    rank,
    0,
  );
  const shape = [...new Array<number>(rank - t.ndim).fill(1), ...t.shape];
  const apart = m.reshape(
    t,
    shape.flatMap((n) => [1, n]),
  ); // [1, n0, 1, n1, …]
  const wide = m.broadcastTo(
    apart,
    shape.flatMap((n, i) => [counts[i] as number, n]),
  );
  return m.reshape(
    wide,
    shape.map((n, i) => n * (counts[i] as number)),
  );
}

/**
 * Each element `count` times in a row.
 *
 * @param options.axis Along which axis; by default `x` is flattened first.
 * @throws {OptionError} if `count` is no integer of at least 0. {ShapeError} if the axis is out of range.
 * @example repeat(tensor([1, 2]), 2)              // [1, 1, 2, 2]
 */
export function repeat(x: TensorLike, count: number, options: { readonly axis?: number } = {}): Tensor {
  checkOptions('repeat', options, ['axis']);
  checkInteger('repeat', 'count', count, 0);
  const t = options.axis === undefined ? ravel(x) : operand('repeat', x);
  const axis = resolveAxis('repeat', options.axis ?? 0, t.ndim);
  const [before, [n = 1, ...after]] = [t.shape.slice(0, axis), t.shape.slice(axis)];
  const wide = m.broadcastTo(m.reshape(t, [...before, n, 1, ...after]), [...before, n, count, ...after]);
  return m.reshape(wide, [...before, n * count, ...after]);
}
