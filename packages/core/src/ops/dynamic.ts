/** Slices of static extent at places that may be traced: JAX's dynamic slices. */
import { showAval } from '../aval.ts';
import { isInteger } from '../dtype.ts';
import { DTypeError, OptionError, ShapeError } from '../errors.ts';
import * as p from '../primitives/arithmetic.ts';
import * as m from '../primitives/movement.ts';
import { scalar } from '../primitives/pointwise.ts';
import { resolveAxis, type Shape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { checkInteger, checkOptions, show, toShape } from './check.ts';
import { operand, promoteOperands, type TensorLike } from './convert.ts';
import { take } from './indexing.ts';

/**
 * A slice of given extents, starting at a place that may be traced. Starts are moved so that the slice lies within `x`.
 *
 * @param starts For each axis an integer, or an integer scalar.
 * @param sizes For each axis, how many elements.
 * @throws {ShapeError} if the numbers of axes differ, or a slice is longer than its axis. {DTypeError} for other starts.
 * @example dynamicSlice(tensor([1, 2, 3, 4]), [tensor(1, 'int32')], [2])   // [2, 3]
 */
export function dynamicSlice(x: TensorLike, starts: readonly TensorLike[], sizes: Shape): Tensor {
  const t = operand('dynamicSlice', x);
  const extents = toShape('dynamicSlice', sizes);
  const from = startsOf('dynamicSlice', t, starts, extents);
  return extents.reduce(
    (y, size, axis) =>
      size === t.shape[axis] ? y : take(y, p.add(m.iota(size, 'int32'), from[axis] as Tensor), { axis }),
    t,
  );
}

/**
 * `x` with a slice replaced, starting at a place that may be traced. Starts are moved so that it lies within `x`.
 *
 * @param update As many axes as `x`, none longer; of its dtype.
 * @param starts For each axis an integer, or an integer scalar.
 * @throws {ShapeError} if the numbers of axes differ, or the update is longer. {DTypeError} for other dtypes.
 * @example dynamicUpdateSlice(zeros(4), tensor([5, 6]), [tensor(1, 'int32')])   // [0, 5, 6, 0]
 */
export function dynamicUpdateSlice(x: TensorLike, update: TensorLike, starts: readonly TensorLike[]): Tensor {
  const [t, u] = [operand('dynamicUpdateSlice', x), operand('dynamicUpdateSlice', update)];
  const [, values] = promoteOperands('dynamicUpdateSlice', t, u) as [Tensor, Tensor];
  if (values.dtype !== t.dtype)
    throw new DTypeError(
      `dynamicUpdateSlice: the update ${showAval(u.aval)} does not fit into ${showAval(t.aval)}; convert it with astype().`,
    );
  const from = startsOf('dynamicUpdateSlice', t, starts, u.shape);
  let inside: Tensor | undefined;
  const spread = u.shape.reduce((y, size, axis) => {
    const extent = t.shape[axis] as number;
    if (size === extent) return y;
    const place = p.sub(m.iota(extent, 'int32'), from[axis] as Tensor);
    const within = p.and(
      p.compare('le', scalar(0, 'int32'), place),
      p.compare('lt', place, scalar(size, 'int32')),
    );
    const mask = m.reshape(
      within,
      t.shape.map((n, i) => (i === axis ? n : 1)),
    );
    inside = inside ? p.and(inside, mask) : mask;
    if (size === 0)
      return m.broadcastTo(
        scalar(0, t.dtype),
        y.shape.map((n, i) => (i === axis ? extent : n)),
      );
    return take(y, p.select(within, place, scalar(0, 'int32')), { axis });
  }, values);
  return inside ? p.select(inside, spread, t) : spread;
}

/**
 * The slice at one position along an axis; the position may be traced, and is moved into the range.
 *
 * @param options.keepdims Keeps the axis, with extent 1.
 * @throws {ShapeError} if the axis is out of range or empty. {DTypeError} unless the position is an integer.
 * @example dynamicIndex(tensor([[1, 2], [3, 4]]), tensor(1, 'int32'))   // [3, 4]
 */
export function dynamicIndex(
  x: TensorLike,
  index: TensorLike,
  options: { readonly axis?: number | undefined; readonly keepdims?: boolean | undefined } = {},
): Tensor {
  checkOptions('dynamicIndex', options, ['axis', 'keepdims']);
  const t = operand('dynamicIndex', x);
  const axis = resolveAxis('dynamicIndex', options.axis ?? 0, t.ndim);
  const sizes = t.shape.map((n, i) => (i === axis ? 1 : n));
  const from = startsOf(
    'dynamicIndex',
    t,
    t.shape.map((_, i) => (i === axis ? index : 0)),
    sizes,
  );
  const place = m.reshape(from[axis] as Tensor, options.keepdims ? [1] : []);
  return take(t, place, { axis });
}

/** int32 scalars, with the slice within the axis; below 0 they count from the end, as in JAX. */
function startsOf(op: string, x: Tensor, starts: readonly TensorLike[], sizes: Shape): Tensor[] {
  if (!Array.isArray(starts))
    throw new OptionError(`${op}: takes an array of starts, one for each axis, but got ${show(starts)}.`);
  if (starts.length !== x.ndim || sizes.length !== x.ndim)
    throw new ShapeError(
      `${op}: needs a start and a size for each axis of ${showAval(x.aval)}, but got ${starts.length} and ${sizes.length}.`,
    );
  const long = sizes.findIndex((n, i) => n > (x.shape[i] as number));
  if (long >= 0)
    throw new ShapeError(
      `${op}: ${sizes[long]} elements along axis ${long} are more than ${showAval(x.aval)} has.`,
    );
  return starts.map((start, axis) => {
    if (typeof start === 'number') checkInteger(op, `the start along axis ${axis}`, start);
    const given = typeof start === 'number' ? scalar(start, 'int32') : operand(op, start);
    if (!isInteger(given.dtype) || given.ndim > 0)
      throw new DTypeError(
        `${op}: starts are integer scalars, but that of axis ${axis} is ${showAval(given.aval)}.`,
      );
    const extent = x.shape[axis] as number;
    const place = p.convert(given, 'int32');
    const fromStart = p.select(
      p.compare('lt', place, scalar(0, 'int32')),
      p.add(place, scalar(extent, 'int32')),
      place,
    );
    const most = scalar(extent - (sizes[axis] as number), 'int32');
    return p.max(p.min(fromStart, most), scalar(0, 'int32'));
  });
}
