/** Triangles of matrices. */
import { showAval } from '../aval.ts';
import type { DType } from '../dtype.ts';
import { ShapeError } from '../errors.ts';
import { add, compare, convert, select } from '../primitives/arithmetic.ts';
import { iota, reshape } from '../primitives/movement.ts';
import { scalar } from '../primitives/pointwise.ts';
import type { Tensor } from '../tensor.ts';
import { checkInteger, toShape } from './check.ts';
import { operand, placed, type TensorLike } from './convert.ts';

/**
 * Ones on and below a diagonal, zeros above it.
 *
 * @param k Which diagonal: 0 is the main one, 1 the one above it.
 * @returns `[rows, columns]`
 * @throws {ShapeError} if an extent is no non-negative integer. {OptionError} if `k` is no integer.
 * @example tri(2, 3)                     // [[1, 0, 0], [1, 1, 0]]
 */
export function tri(rows: number, columns: number = rows, k = 0, dtype: DType = 'float32'): Tensor {
  const [n, m] = toShape('tri', [rows, columns]) as [number, number];
  return convert(below('tri', n, m, k), dtype);
}

/**
 * The lower triangle of each matrix; zeros above it.
 *
 * @param x `[…, M, N]`
 * @param k The last diagonal that is kept: 0 is the main one, 1 the one above it.
 * @throws {ShapeError} if `x` is no matrix. {OptionError} if `k` is no integer.
 * @example tril(tensor([[1, 2], [3, 4]]))    // [[1, 0], [3, 4]]
 */
export function tril(x: TensorLike, k = 0): Tensor {
  const t = matrices('tril', x);
  const [n, m] = t.shape.slice(-2) as [number, number];
  return select(below('tril', n, m, k), t, scalar(0, t.dtype));
}

/**
 * The upper triangle of each matrix; zeros below it.
 *
 * @param x `[…, M, N]`
 * @param k The first diagonal that is kept: 0 is the main one, 1 the one above it.
 * @throws {ShapeError} if `x` is no matrix. {OptionError} if `k` is no integer.
 * @example triu(tensor([[1, 2], [3, 4]]))    // [[1, 2], [0, 4]]
 */
export function triu(x: TensorLike, k = 0): Tensor {
  const t = matrices('triu', x);
  const [n, m] = t.shape.slice(-2) as [number, number];
  return select(below('triu', n, m, k - 1), scalar(0, t.dtype), t);
}

/** bool[n, m]: whether a place is on or below diagonal `k`. */
function below(op: string, n: number, m: number, k: number): Tensor {
  checkInteger(op, 'k', k);
  return compare('le', iota(m, 'int32'), reshape(add(iota(n, 'int32'), scalar(k, 'int32')), [n, 1]));
}

function matrices(op: string, x: TensorLike): Tensor {
  const t = operand(op, x);
  if (t.ndim < 2) throw new ShapeError(`${op}: x is […, M, N], but is ${showAval(t.aval)}.`);
  return t;
}

/**
 * Rows and columns of the places on and below a diagonal, in row-major order.
 * @returns Two `int32` tensors of one length, to be used as indices.
 * @throws {ShapeError} if an extent is no non-negative integer. {OptionError} if `k` is no integer.
 * @example trilIndices(2)                // [[0, 1, 1], [0, 0, 1]]
 */
export function trilIndices(rows: number, k = 0, columns: number = rows): [Tensor, Tensor] {
  return places('trilIndices', rows, columns, k, (i, j) => j - i <= k);
}

/**
 * Rows and columns of the places on and above a diagonal, in row-major order.
 * @returns Two `int32` tensors of one length, to be used as indices.
 * @throws {ShapeError} if an extent is no non-negative integer. {OptionError} if `k` is no integer.
 * @example triuIndices(2)                // [[0, 0, 1], [0, 1, 1]]
 */
export function triuIndices(rows: number, k = 0, columns: number = rows): [Tensor, Tensor] {
  return places('triuIndices', rows, columns, k, (i, j) => j - i >= k);
}

function places(
  op: string,
  rows: number,
  columns: number,
  k: number,
  keep: (i: number, j: number) => boolean,
): [Tensor, Tensor] {
  const [n, m] = toShape(op, [rows, columns]) as [number, number];
  checkInteger(op, 'k', k);
  const [is, js]: [number[], number[]] = [[], []];
  for (let i = 0; i < n; i++)
    for (let j = 0; j < m; j++)
      if (keep(i, j)) {
        is.push(i);
        js.push(j);
      }
  return [placed('int32', [is.length], is), placed('int32', [js.length], js)];
}
