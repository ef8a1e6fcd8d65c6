/** Tensors as sets of their elements: sorted, each once. */
import { OptionError, TracerError } from '../errors.ts';
import * as p from '../primitives/arithmetic.ts';
import { scatterAdd } from '../primitives/gather.ts';
import * as m from '../primitives/movement.ts';
import { scalar } from '../primitives/pointwise.ts';
import type { Tensor } from '../tensor.ts';
import { checkInteger, checkOptions } from './check.ts';
import { literal, operand, promoteOperands, type TensorLike } from './convert.ts';
import { cumsum } from './cumulative.ts';
import { knownValues, take } from './indexing.ts';
import type { SizeOptions } from './nonzero.ts';
import { searchsorted } from './search.ts';
import { argsort, sort } from './sort.ts';

/** What {@link uniqueAll} returns. */
export interface Unique {
  /** The different elements, ascending. */
  readonly values: Tensor;
  /** int32: where each of them occurs first, in row-major order. */
  readonly indices: Tensor;
  /** int32, the shape of `x`: which of them each element is. */
  readonly inverse: Tensor;
  /** int32: how often each of them occurs. */
  readonly counts: Tensor;
}

/**
 * The different elements, ascending; NaN once.
 *
 * @param options.size How many at most; needed while tracing. @param options.fill What fills the result where there are
 *   fewer; the smallest element by default.
 * @throws {TracerError} if `x` is being traced and there is no size.
 * @example unique(tensor([3, 1, 3]))                          // [1, 3]
 */
export function unique(x: TensorLike, options: SizeOptions = {}): Tensor {
  checkOptions('unique', options, ['size', 'fill']);
  return distinct('unique', operand('unique', x), options).values;
}

/**
 * {@link unique} with where the elements occur, which of them each element is, and how often each occurs.
 * @throws {TracerError} if `x` is being traced and there is no size.
 * @example uniqueAll(tensor([3, 1, 3])).counts                // the ones once, the threes twice
 */
export function uniqueAll(x: TensorLike, options: SizeOptions = {}): Unique {
  checkOptions('uniqueAll', options, ['size', 'fill']);
  return distinct('uniqueAll', operand('uniqueAll', x), options);
}

function distinct(op: string, x: Tensor, { size, fill }: SizeOptions): Unique {
  const flat = m.reshape(x, [x.size]);
  const n = x.size;
  const order = argsort(flat);
  const sorted = take(flat, order);
  // An element starts a group if it differs from the one before; NaN is the same as NaN here.
  const before = (t: Tensor): Tensor => m.pad(t, [1], [-1], [0]);
  const differs = p.and(
    p.compare('ne', sorted, before(sorted)),
    p.or(p.compare('eq', sorted, sorted), p.compare('eq', before(sorted), before(sorted))),
  );
  const starts = p.or(differs, p.compare('eq', m.iota(n, 'int32'), scalar(0, 'int32')));
  const group = p.sub(cumsum(starts), scalar(1, 'int32'));
  const count = size ?? groupsOf(op, starts);
  checkInteger(op, 'size', count, 0);
  if (n === 0 && count > 0 && fill === undefined)
    throw new OptionError(`${op}: there is no element to fill the result with; give options.fill.`);
  const place = p.select(starts, group, scalar(-1, 'int32'));
  const scattered = (values: Tensor, at: Tensor): Tensor =>
    m.reshape(scatterAdd(m.reshape(values, [1, n, 1]), at, { outer: 1, rows: count, count: n, inner: 1 }), [
      count,
    ]);
  const first = scattered(m.iota(n, 'int32'), place); // in the order
  const total = n === 0 ? scalar(0, 'int32') : p.add(take(group, -1), scalar(1, 'int32'));
  const isReal = p.compare('lt', m.iota(count, 'int32'), total);
  const counts = scattered(m.broadcastTo(scalar(1, 'int32'), [n]), group);
  const inverse = scatterAdd(m.reshape(group, [1, n, 1]), order, { outer: 1, rows: n, count: n, inner: 1 });
  const filler =
    fill === undefined ? (n === 0 ? scalar(0, x.dtype) : take(sorted, 0)) : literal(op, fill, x.dtype);
  const safe = n === 0 ? m.broadcastTo(filler, [count]) : take(sorted, first);
  return {
    values: p.select(isReal, safe, filler),
    indices: n === 0 ? first : p.select(isReal, take(order, first), scalar(0, 'int32')),
    inverse: m.reshape(inverse, x.shape),
    counts,
  };
}

function groupsOf(op: string, starts: Tensor): number {
  const values = knownValues(starts);
  if (!values)
    throw new TracerError(
      `${op}: how many different elements there are is not known while they are being traced; give options.size.`,
    );
  return Array.from(values).reduce((n, v) => n + v, 0);
}

/**
 * Which elements occur among others.
 * @returns bool, the shape of `x`. NaN occurs nowhere.
 * @throws {DTypeError} if the dtypes have no common one.
 * @example isIn(tensor([1, 2, 3]), tensor([3, 1]))            // [true, false, true]
 */
export function isIn(x: TensorLike, others: TensorLike): Tensor {
  const [t, o] = promoteOperands('isIn', x, others) as [Tensor, Tensor];
  const set = sort(m.reshape(o, [o.size]));
  if (o.size === 0) return m.broadcastTo(scalar(0, 'bool'), t.shape);
  const place = p.min(searchsorted(set, t), scalar(o.size - 1, 'int32'));
  return p.compare('eq', take(set, place), t);
}

/**
 * The different elements of either tensor, ascending.
 * @throws {TracerError} if one is being traced and there is no size.
 * @example union1d(tensor([1, 2]), tensor([2, 3]))            // [1, 2, 3]
 */
export function union1d(x: TensorLike, y: TensorLike, options: SizeOptions = {}): Tensor {
  checkOptions('union1d', options, ['size', 'fill']);
  const [a, b] = promoteOperands('union1d', x, y) as [Tensor, Tensor];
  return distinct('union1d', m.concatenate([m.reshape(a, [a.size]), m.reshape(b, [b.size])], 0), options)
    .values;
}

/**
 * The different elements of both tensors, ascending.
 *
 * @param options.size Needed while tracing. @param options.fill Fills the result; its smallest element by default.
 * @throws {TracerError} if one is being traced and there is no size.
 * @example intersect1d(tensor([1, 2]), tensor([2, 3]))        // [2]
 */
export function intersect1d(x: TensorLike, y: TensorLike, options: SizeOptions = {}): Tensor {
  const [a, b] = promoteOperands('intersect1d', x, y) as [Tensor, Tensor];
  const { values, isReal } = candidates(a);
  return chosen('intersect1d', values, p.and(isReal, isIn(values, b)), options);
}

/**
 * The different elements of `x` that are not in `y`, ascending.
 *
 * @param options.size Needed while tracing. @param options.fill Fills the result; its smallest element by default.
 * @throws {TracerError} if one is being traced and there is no size.
 * @example setdiff1d(tensor([1, 2]), tensor([2, 3]))          // [1]
 */
export function setdiff1d(x: TensorLike, y: TensorLike, options: SizeOptions = {}): Tensor {
  const [a, b] = promoteOperands('setdiff1d', x, y) as [Tensor, Tensor];
  const { values, isReal } = candidates(a);
  return chosen('setdiff1d', values, p.and(isReal, p.elementary.not(isIn(values, b))), options);
}

/**
 * The different elements of one tensor that are not in the other, ascending.
 *
 * @param options.size Needed while tracing. @param options.fill Fills the result; its smallest element by default.
 * @throws {TracerError} if one is being traced and there is no size.
 * @example setxor1d(tensor([1, 2]), tensor([2, 3]))           // [1, 3]
 */
export function setxor1d(x: TensorLike, y: TensorLike, options: SizeOptions = {}): Tensor {
  const [a, b] = promoteOperands('setxor1d', x, y) as [Tensor, Tensor];
  const [left, right] = [candidates(a), candidates(b)];
  const alone = [
    p.and(left.isReal, p.elementary.not(isIn(left.values, b))),
    p.and(right.isReal, p.elementary.not(isIn(right.values, a))),
  ];
  return chosen('setxor1d', m.concatenate([left.values, right.values], 0), m.concatenate(alone, 0), options);
}

/** The different elements among as many places as there are elements, and which places hold one. */
function candidates(x: Tensor): { values: Tensor; isReal: Tensor } {
  const { values, counts } = distinct('sets', x, { size: x.size });
  return { values, isReal: p.compare('lt', scalar(0, 'int32'), counts) };
}

/** The values for which a mask holds, ascending. */
function chosen(op: string, values: Tensor, mask: Tensor, options: SizeOptions): Tensor {
  checkOptions(op, options, ['size', 'fill']);
  const count = options.size ?? groupsOf(op, mask);
  checkInteger(op, 'size', count, 0);
  const ascending = argsort(values);
  const order = take(ascending, argsort(take(mask, ascending), { descending: true }));
  const kept = Math.min(count, values.size);
  const first = m.slice(order, [0], [kept], [1]);
  const found = take(values, first);
  const isFound = take(mask, first);
  const filler =
    options.fill !== undefined || kept === 0 ? literal(op, options.fill ?? 0, values.dtype) : take(found, 0);
  const filled = p.select(isFound, found, filler);
  return kept === count ? filled : m.concatenate([filled, m.broadcastTo(filler, [count - kept])], 0);
}
