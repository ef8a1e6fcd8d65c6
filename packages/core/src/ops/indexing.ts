/** Elements by index. */
import { showAval } from '../aval.ts';
import { ConcreteTensor, LiteralTensor } from '../concrete.ts';
import { type DType, isInteger, type TypedArray } from '../dtype.ts';
import { BackendError, DTypeError, ShapeError } from '../errors.ts';
import { add, compare, convert, min, mul, select } from '../primitives/arithmetic.ts';
import { gather } from '../primitives/gather.ts';
import { broadcastTo, iota, moveAxis, reshape } from '../primitives/movement.ts';
import { scalar } from '../primitives/pointwise.ts';
import { broadcastShapes, resolveAxis, sizeOf } from '../shape.ts';
import { Tensor } from '../tensor.ts';
import { checkInteger, checkOptions, show } from './check.ts';
import { operand, type TensorLike, toTensor } from './convert.ts';

/** Positions: an integer, an array of integers, or a tensor of an integer dtype. */
export type Indices = number | readonly number[] | Tensor;

/**
 * Elements of `x` at positions along an axis: NumPy's `take`. Rows of an embedding table, for instance.
 *
 * Negative positions count from the end. A position out of range is an error if its value is known; where it is being
 * traced, the result there is NaN, or 0 for integers, and no gradient flows.
 *
 * @param options.axis By default `x` is flattened first.
 * @returns The shape of `x` with the shape of `indices` in the place of the axis.
 * @throws {DTypeError} unless `indices` are integers. {ShapeError} if a position or the axis is out of range.
 * @example
 * take(tensor([10, 20, 30]), [2, -1])                          // [30, 30]
 * take(table, tokens, { axis: 0 })                             // [V,D], i32[B,T] -> [B,T,D]
 */
export function take(
  x: TensorLike,
  indices: Indices,
  options: { readonly axis?: number | undefined } = {},
): Tensor {
  checkOptions('take', options, ['axis']);
  const given = operand('take', x);
  const t = options.axis === undefined ? reshape(given, [given.size]) : given;
  const axis = resolveAxis('take', options.axis ?? 0, t.ndim);
  const rows = t.shape[axis] as number;
  const places = positions('take', indices, rows, showAval(given.aval));
  const [before, after] = [t.shape.slice(0, axis), t.shape.slice(axis + 1)];
  const [outer, count, inner] = [sizeOf(before), places.size, sizeOf(after)];
  const rowsFirst = reshape(t, [outer, rows, inner]);
  const result = gather(rowsFirst, reshape(places, [count]), { outer, rows, count, inner });
  return reshape(result, [...before, ...places.shape, ...after]);
}

/**
 * Elements of `x` at a position for each place along one axis: NumPy's `take_along_axis`. Undoes `argmax`, for instance.
 *
 * @param indices As many axes as `x`; the other extents broadcast. Negative and out-of-range positions as in {@link take}.
 * @returns The shape of `indices`, broadcast against `x` along the other axes.
 * @throws {DTypeError} unless `indices` are integers. {ShapeError} if shapes, a position or the axis do not fit.
 * @example takeAlong(tensor([[1, 2], [3, 4]]), tensor([[1], [0]], 'int32'), 1)   // [[2], [3]]
 */
export function takeAlong(x: TensorLike, indices: Tensor, axis: number): Tensor {
  const t = operand('takeAlong', x);
  const at = resolveAxis('takeAlong', axis, t.ndim);
  const rows = t.shape[at] as number;
  const places = positions('takeAlong', indices, rows, showAval(t.aval));
  if (places.ndim !== t.ndim)
    throw new ShapeError(
      `takeAlong: x and indices have the same number of axes, but are ${showAval(t.aval)} and ${showAval(places.aval)}.`,
    );
  return pickAlong('takeAlong', t, places, at, false);
}

/** Elements at positions along an axis, each counted from the start; `isWithin`: all are known to be in range. */
export function pickAlong(op: string, x: Tensor, places: Tensor, at: number, isWithin: boolean): Tensor {
  const last = x.ndim - 1;
  const [rows, count] = [x.shape[at] as number, places.shape[at] as number];
  const [xRows, iRows] = [moveAxis(x, at, last), moveAxis(places, at, last)];
  const lead = broadcastShapes(op, xRows.shape.slice(0, -1), iRows.shape.slice(0, -1));
  const batch = sizeOf(lead);
  const total = batch * count;
  const flat = reshape(broadcastTo(xRows, [...lead, rows]), [1, batch * rows, 1]);
  const local = reshape(broadcastTo(iRows, [...lead, count]), [batch, count]);
  const place = batch === 1 ? local : inRows(local, rows, isWithin);
  const extents = { outer: 1, rows: batch * rows, count: total, inner: 1 };
  const result = gather(flat, reshape(place, [total]), extents);
  return moveAxis(reshape(result, [...lead, count]), last, at);
}

/** Positions in rows that lie behind one another; what is out of range is -1. */
function inRows(local: Tensor, rows: number, isWithin: boolean): Tensor {
  const [batch] = local.shape as [number];
  const first = reshape(mul(iota(batch, 'int32'), scalar(rows, 'int32')), [batch, 1]);
  const place = add(local, first);
  if (isWithin) return place;
  const inRange = compare('lt', local, scalar(rows, 'int32')); // below 0 is out of range in either row
  const below = compare('lt', local, scalar(0, 'int32'));
  return select(inRange, select(below, local, place), scalar(-1, 'int32'));
}

/** int32 positions, counted from the start; what was out of range still is. */
export function positions(op: string, indices: Indices, rows: number, of: string): Tensor {
  const given = indices instanceof Tensor ? indices : numbersAt(op, indices);
  if (!isInteger(given.dtype))
    throw new DTypeError(
      `${op}: indices must be integers, but are ${showAval(given.aval)}; convert them with astype(indices, 'int32')` +
        `${given.dtype === 'bool' ? ', or choose by a mask with where()' : ''}.`,
    );
  checkRange(op, given, rows, of);
  if (given.dtype === 'uint8') return convert(given, 'int32');
  if (given.dtype === 'uint32') return convert(min(given, scalar(rows, 'uint32')), 'int32');
  const [zero, extent] = [scalar(0, 'int32'), scalar(rows, 'int32')];
  return select(compare('lt', given, zero), add(given, extent), given);
}

function numbersAt(op: string, indices: number | readonly number[]): Tensor {
  const numbers: readonly number[] = Array.isArray(indices) ? indices : [indices as number];
  const bad = numbers.findIndex((n) => !Number.isInteger(n));
  if (bad >= 0) throw new DTypeError(`${op}: indices must be integers, but one is ${show(numbers[bad])}.`);
  return typeof indices === 'number' ? toTensor(indices, 'int32') : toTensor(Int32Array.from(numbers));
}

/** @throws {ShapeError} if a position that is known now is out of range. */
function checkRange(op: string, indices: Tensor, rows: number, of: string): void {
  const bad = knownValues(indices)?.find((i) => i < -rows || i >= rows);
  if (bad !== undefined)
    throw new ShapeError(`${op}: index ${bad} is out of range for ${of}, which has ${rows} along that axis.`);
}

/** The values, where there are any that can be read without waiting. */
export function knownValues(x: Tensor): TypedArray | undefined {
  if (!(x instanceof ConcreteTensor || x instanceof LiteralTensor)) return undefined;
  try {
    return x.dataSync();
  } catch (error) {
    if (error instanceof BackendError) return undefined;
    throw error;
  }
}

/**
 * 1 at the position of each label, 0 elsewhere. A label outside of `[0, classes)` gives zeros only.
 *
 * @param labels Integers of any shape.
 * @returns The shape of `labels`, then `classes`.
 * @throws {DTypeError} unless `labels` are integers.
 * @example oneHot(tensor([0, 2], 'int32'), 3)                  // [[1, 0, 0], [0, 0, 1]]
 */
export function oneHot(labels: Indices, classes: number, dtype: DType = 'float32'): Tensor {
  checkInteger('oneHot', 'classes', classes, 0);
  const given = labels instanceof Tensor ? labels : numbersAt('oneHot', labels);
  if (!isInteger(given.dtype))
    throw new DTypeError(
      `oneHot: labels must be integers, but are ${showAval(given.aval)}; convert them with astype(labels, 'int32').`,
    );
  const wide = given.dtype === 'uint8' ? convert(given, 'int32') : given;
  return convert(compare('eq', reshape(wide, [...wide.shape, 1]), iota(classes, wide.dtype)), dtype);
}
