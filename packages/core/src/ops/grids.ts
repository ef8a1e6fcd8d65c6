/** Coordinates of grids, and indices into flattened ones. */
import { showAval } from '../aval.ts';
import { type DType, isInteger } from '../dtype.ts';
import { DTypeError, OptionError, ShapeError } from '../errors.ts';
import * as p from '../primitives/arithmetic.ts';
import { broadcastTo as broadcast, concatenate, iota, reshape } from '../primitives/movement.ts';
import { scalar } from '../primitives/pointwise.ts';
import { broadcastShapes, rowMajorStrides, type Shape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { floorDivide, power, remainder } from './arithmetic.ts';
import { checkInteger, checkOptions, type ShapeLike, show, toShape } from './check.ts';
import { operand, operandList, type TensorLike } from './convert.ts';

/**
 * Tensors stretched to the shape in which they meet.
 * @throws {ShapeError} if the shapes do not broadcast.
 * @example broadcastArrays(ones([2, 1]), ones([3]))   // [2,3] twice
 */
export function broadcastArrays(...xs: readonly TensorLike[]): Tensor[] {
  const ts = xs.map((x) => operand('broadcastArrays', x));
  const shape = broadcastShapes('broadcastArrays', ...ts.map((t) => t.shape));
  return ts.map((t) => broadcast(t, shape));
}

/**
 * One tensor for each axis of a grid, of the coordinates along it.
 *
 * @param xs Vectors: the coordinates along each axis.
 * @param options.indexing `xy` (the default) has the second vector along the first axis, as in plots; `ij` has axis `i`
 *   for vector `i`.
 * @param options.sparse Leaves extent 1 along the other axes, as broadcasting needs no more. `false` by default.
 * @throws {ShapeError} if an operand has more than one axis. {OptionError} for another indexing.
 * @example meshgrid([arange(2), arange(3)], { indexing: 'ij' })   // [2,3] twice
 */
export function meshgrid(
  xs: readonly TensorLike[],
  options: { readonly indexing?: 'xy' | 'ij' | undefined; readonly sparse?: boolean | undefined } = {},
): Tensor[] {
  checkOptions('meshgrid', options, ['indexing', 'sparse']);
  const { indexing = 'xy', sparse = false } = options;
  if (indexing !== 'xy' && indexing !== 'ij')
    throw new OptionError(`meshgrid: indexing is 'xy' or 'ij', but got ${show(indexing)}.`);
  const vectors = operandList('meshgrid', xs);
  const deep = vectors.find((v) => v.ndim > 1);
  if (deep) throw new ShapeError(`meshgrid: takes vectors, but got ${showAval(deep.aval)}.`);
  const axisOf = (i: number): number => (indexing === 'xy' && i < 2 && vectors.length > 1 ? 1 - i : i);
  const shape = vectors.map((_, axis) => (vectors[axisOf(axis)] as Tensor).size);
  return vectors.map((v, i) => {
    const thin = reshape(
      v,
      shape.map((_, axis) => (axis === axisOf(i) ? v.size : 1)),
    );
    return sparse ? thin : broadcast(thin, shape);
  });
}

/**
 * The coordinates of every place of a shape.
 * @returns `[rank, …shape]`: row `i` holds the coordinate along axis `i`.
 * @throws {ShapeError} if `shape` holds anything but non-negative integers.
 * @example indices([2, 2])                            // [[[0, 0], [1, 1]], [[0, 1], [0, 1]]]
 */
export function indices(shape: ShapeLike, dtype: DType = 'int32'): Tensor {
  const extents = toShape('indices', shape);
  if (extents.length === 0) return reshape(iota(0, dtype), [0]);
  return concatenate(
    extents.map((n, axis) => {
      const thin = reshape(
        iota(n, dtype),
        extents.map((_, i) => (i === axis ? n : 1)),
      );
      return broadcast(reshape(thin, [1, ...thin.shape]), [1, ...extents]);
    }),
    0,
  );
}

/**
 * The powers of each element in columns: a Vandermonde matrix.
 *
 * @param x `[N]`
 * @param columns As many as `x` has elements by default.
 * @param options.increasing Whether the powers grow from left to right; they fall by default.
 * @returns `[N, columns]`
 * @throws {ShapeError} unless `x` is a vector. {OptionError} if `columns` is no integer of at least 0.
 * @example vander(tensor([2, 3]), 3)                  // [[4, 2, 1], [9, 3, 1]]
 */
export function vander(
  x: TensorLike,
  columns?: number,
  options: { readonly increasing?: boolean | undefined } = {},
): Tensor {
  checkOptions('vander', options, ['increasing']);
  const t = operand('vander', x);
  if (t.ndim !== 1) throw new ShapeError(`vander: x is a vector, but is ${showAval(t.aval)}.`);
  const n = columns ?? t.size;
  checkInteger('vander', 'columns', n, 0);
  const base = reshape(t, [t.size, 1]);
  if (n === 0) return broadcast(base, [t.size, 0]);
  const powers = Array.from({ length: n }, (_, i) => power(base, options.increasing ? i : n - 1 - i));
  return concatenate(powers, 1);
}

/**
 * The coordinates of places that are given by their position in row-major order.
 * @param index Integers in `[0, size)`.
 * @returns One tensor of the shape of `index` for each axis of `shape`.
 * @throws {DTypeError} unless `index` holds integers.
 * @example unravelIndex(5, [2, 3])                    // [1, 2]
 */
export function unravelIndex(index: TensorLike, shape: Shape): Tensor[] {
  const t = integerIndex('unravelIndex', index);
  const extents = toShape('unravelIndex', shape);
  const strides = rowMajorStrides(extents);
  return extents.map((n, axis) => {
    const whole = strides[axis] === 1 ? t : floorDivide(t, strides[axis] as number);
    return axis === 0 ? whole : remainder(whole, n);
  });
}

/**
 * The position in row-major order of places that are given by their coordinates.
 * @param coordinates One integer tensor for each axis of `shape`; they broadcast. Each in `[0, extent)`.
 * @throws {DTypeError} unless the coordinates are integers. {ShapeError} if there are more or fewer of them than axes.
 * @example ravelMultiIndex([tensor([1], 'int32'), tensor([2], 'int32')], [2, 3])   // [5]
 */
export function ravelMultiIndex(coordinates: readonly TensorLike[], shape: Shape): Tensor {
  const extents = toShape('ravelMultiIndex', shape);
  const given = operandList('ravelMultiIndex', coordinates);
  if (given.length !== extents.length)
    throw new ShapeError(
      `ravelMultiIndex: needs a coordinate for each axis of [${extents}], but got ${given.length}.`,
    );
  const strides = rowMajorStrides(extents);
  return coordinates
    .map((c, axis) => p.mul(integerIndex('ravelMultiIndex', c), scalar(strides[axis] as number, 'int32')))
    .reduce(p.add, scalar(0, 'int32'));
}

/** int32 indices; a JavaScript number is one. */
function integerIndex(op: string, x: TensorLike): Tensor {
  if (typeof x === 'number') {
    checkInteger(op, 'an index', x);
    return scalar(x, 'int32');
  }
  const t = operand(op, x);
  if (!isInteger(t.dtype))
    throw new DTypeError(`${op}: indices must be integers, but are ${showAval(t.aval)}.`);
  return p.convert(t, 'int32');
}
