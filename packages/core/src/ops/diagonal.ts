/** Diagonals of matrices. */
import { showAval } from '../aval.ts';
import { ShapeError } from '../errors.ts';
import { add, compare, select } from '../primitives/arithmetic.ts';
import { iota, pad, reshape, slice, transpose } from '../primitives/movement.ts';
import { scalar } from '../primitives/pointwise.ts';
import { resolveAxis, sizeOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { checkInteger, checkOptions } from './check.ts';
import { operand, type TensorLike } from './convert.ts';
import { sum } from './reduce.ts';

/** Options of {@link diagonal} and {@link trace}. */
export interface DiagonalOptions {
  /** Which diagonal: 0 is the main one, 1 the one above it. */
  readonly offset?: number | undefined;
  /** The axis of the rows, 0 by default. */
  readonly axis1?: number | undefined;
  /** The axis of the columns, 1 by default. */
  readonly axis2?: number | undefined;
}

/**
 * The diagonals of the matrices along two axes.
 * @returns `x` without the two axes, and a last axis along the diagonal.
 * @throws {ShapeError} if the axes are out of range or the same.
 * @example diagonal(tensor([[1, 2], [3, 4]]))            // [1, 4]
 */
export function diagonal(x: TensorLike, options: DiagonalOptions = {}): Tensor {
  return diagonalOf('diagonal', operand('diagonal', x), options);
}

/**
 * The sum of a diagonal.
 * @returns `x` without the two axes; bool and `uint8` are counted in `int32`.
 * @throws {ShapeError} if the axes are out of range or the same.
 * @example trace(tensor([[1, 2], [3, 4]]))               // 5
 */
export function trace(x: TensorLike, options: DiagonalOptions = {}): Tensor {
  return sum(diagonalOf('trace', operand('trace', x), options), { axis: -1 });
}

/** A strided slice of each matrix, flattened. */
function diagonalOf(op: string, x: Tensor, options: DiagonalOptions): Tensor {
  checkOptions(op, options, ['offset', 'axis1', 'axis2']);
  const { offset = 0, axis1 = 0, axis2 = 1 } = options;
  checkInteger(op, 'offset', offset);
  if (x.ndim < 2) throw new ShapeError(`${op}: needs at least two axes, but x is ${showAval(x.aval)}.`);
  const [a, b] = [resolveAxis(op, axis1, x.ndim), resolveAxis(op, axis2, x.ndim)];
  if (a === b) throw new ShapeError(`${op}: axis1 and axis2 are both axis ${a}.`);
  const rest = x.shape.map((_, i) => i).filter((i) => i !== a && i !== b);
  const moved = transpose(x, [...rest, a, b]);
  const lead = rest.map((i) => x.shape[i] as number);
  const [n, m] = moved.shape.slice(-2) as [number, number];
  const count = Math.max(0, offset >= 0 ? Math.min(n, m - offset) : Math.min(n + offset, m));
  const outer = sizeOf(lead);
  const first = count === 0 ? 0 : offset >= 0 ? offset : -offset * m;
  const limit = count === 0 ? 0 : first + (count - 1) * (m + 1) + 1;
  const flat = slice(reshape(moved, [outer, n * m]), [0, first], [outer, limit], [1, m + 1]);
  return reshape(flat, [...lead, count]);
}

/**
 * A matrix with a given diagonal, or the diagonal of a given matrix.
 *
 * @param x `[N]` gives `[N + |k|, N + |k|]` with `x` on diagonal `k` and zeros elsewhere; `[M, N]` gives its diagonal.
 * @param k Which diagonal: 0 is the main one, 1 the one above it.
 * @throws {ShapeError} unless `x` has one or two axes. {OptionError} if `k` is no integer.
 * @example diag(tensor([1, 2]))                          // [[1, 0], [0, 2]]
 */
export function diag(x: TensorLike, k = 0): Tensor {
  const t = operand('diag', x);
  checkInteger('diag', 'k', k);
  if (t.ndim === 2) return diagonalOf('diag', t, { offset: k });
  if (t.ndim !== 1) throw new ShapeError(`diag: x has one or two axes, but is ${showAval(t.aval)}.`);
  const n = t.size + Math.abs(k);
  const index = iota(n, 'int32');
  const onDiagonal = compare('eq', index, reshape(add(index, scalar(k, 'int32')), [n, 1]));
  const along = reshape(pad(t, [0], [Math.abs(k)], [0]), k >= 0 ? [n, 1] : [1, n]); // by row above, by column below
  return select(onDiagonal, along, scalar(0, t.dtype));
}
