/** Elements in order. Sorting is stable, NaN is greatest, -0 equals 0. */
import { showAval } from '../aval.ts';
import { OptionError, ShapeError } from '../errors.ts';
import * as m from '../primitives/movement.ts';
import { argsort as argsortPrimitive } from '../primitives/sort.ts';
import { resolveAxis } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { checkInteger, checkOptions } from './check.ts';
import { operand, operandList, type TensorLike } from './convert.ts';
import { pickAlong } from './indexing.ts';

/** Options of {@link sort} and {@link argsort}. */
export interface SortOptions {
  /** The last axis by default. */
  readonly axis?: number | undefined;
  /** The greatest first, so NaN before all. */
  readonly descending?: boolean | undefined;
}

/**
 * The elements along an axis in ascending order. Gradients go back to where each element came from.
 * @returns The shape and dtype of `x`.
 * @throws {ShapeError} if the axis is out of range.
 * @example sort(tensor([3, 1, 2]))                     // [1, 2, 3]
 */
export function sort(x: TensorLike, options: SortOptions = {}): Tensor {
  const t = operand('sort', x);
  const { order, axis } = orderOf('sort', t, options);
  return pickAlong('sort', t, order, axis, true);
}

/**
 * The positions that put the elements along an axis into ascending order; equal elements keep theirs.
 * @returns int32, the shape of `x`.
 * @throws {ShapeError} if the axis is out of range.
 * @example argsort(tensor([3, 1, 2]))                  // [1, 2, 0]
 */
export function argsort(x: TensorLike, options: SortOptions = {}): Tensor {
  return orderOf('argsort', operand('argsort', x), options).order;
}

function orderOf(op: string, x: Tensor, options: SortOptions): { order: Tensor; axis: number } {
  checkOptions(op, options, ['axis', 'descending']);
  const axis = resolveAxis(op, options.axis ?? -1, x.ndim);
  const last = x.ndim - 1;
  const order = argsortPrimitive(m.moveAxis(m.stop(x), axis, last), options.descending ?? false);
  return { order: m.moveAxis(order, last, axis), axis };
}

/**
 * The `k` greatest elements along an axis, the greatest first (NaN before all), and where they are. Of equal ones the
 * first come first.
 *
 * @param options.axis The last one by default.
 * @returns Both with extent `k` along the axis: elements of `x`, and int32 positions.
 * @throws {OptionError} if `k` is no integer between 0 and the extent. {ShapeError} if the axis is out of range.
 * @example topK(tensor([1, 3, 2]), 2)                  // [[3, 2], [1, 2]]
 */
export function topK(
  x: TensorLike,
  k: number,
  options: { readonly axis?: number | undefined } = {},
): [values: Tensor, positions: Tensor] {
  checkOptions('topK', options, ['axis']);
  checkInteger('topK', 'k', k, 0);
  const t = operand('topK', x);
  const { order, axis } = orderOf('topK', t, { axis: options.axis, descending: true });
  if (k > (t.shape[axis] as number))
    throw new OptionError(
      `topK: k is ${k}, but ${showAval(t.aval)} has only ${t.shape[axis]} along axis ${axis}.`,
    );
  const positions = m.slice(
    order,
    order.shape.map(() => 0),
    order.shape.map((n, i) => (i === axis ? k : n)),
    order.shape.map(() => 1),
  );
  return [pickAlong('topK', t, positions, axis, true), positions];
}

/**
 * The positions that sort by several keys: by the last one, equal elements by the one before, and so on.
 *
 * @param keys Tensors of one shape.
 * @param options.axis The last one by default.
 * @returns int32, the shape of the keys.
 * @throws {ShapeError} if the shapes differ, there is no key, or the axis is out of range.
 * @example lexsort([tensor([2, 1, 3]), tensor([1, 1, 0])])   // [2, 1, 0]
 */
export function lexsort(
  keys: readonly TensorLike[],
  options: { readonly axis?: number | undefined } = {},
): Tensor {
  checkOptions('lexsort', options, ['axis']);
  const ts = operandList('lexsort', keys);
  const [first, ...rest] = ts;
  const odd = ts.find((t) => String(t.shape) !== String(first?.shape));
  if (first === undefined || odd)
    throw new ShapeError(
      `lexsort: takes at least one key, all of one shape, but got ${ts.map((t) => showAval(t.aval)).join(', ')}.`,
    );
  const { order, axis } = orderOf('lexsort', first, options);
  return rest.reduce((before, key) => {
    const next = orderOf('lexsort', pickAlong('lexsort', key, before, axis, true), { axis }).order;
    return pickAlong('lexsort', before, next, axis, true);
  }, order);
}
