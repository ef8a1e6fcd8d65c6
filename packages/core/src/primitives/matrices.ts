/** Words for rules about matrices, which are the last two axes of tensors. */
import type { Aval } from '../aval.ts';
import type { Shape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { compare, select, sub } from './arithmetic.ts';
import { matmul } from './matmul.ts';
import { iota, moveAxis, reshape, transpose } from './movement.ts';
import { scalar } from './pointwise.ts';
import { reduceSum } from './reduce.ts';

/** x y */
export const times = (x: Tensor, y: Tensor): Tensor => matmul(x, y, false, false);
/** xᵀ y */
export const transposedTimes = (x: Tensor, y: Tensor): Tensor => matmul(x, y, true, false);
/** x yᵀ */
export const timesTransposed = (x: Tensor, y: Tensor): Tensor => matmul(x, y, false, true);

/** xᵀ */
export function transposed(x: Tensor): Tensor {
  const n = x.ndim;
  return transpose(x, [...x.shape.slice(0, -2).keys(), n - 1, n - 2]);
}

/** bool[rows, columns]: where `column - row` compares with `offset`. */
function where(op: 'le' | 'lt' | 'eq', rows: number, columns: number, offset: number): Tensor {
  const row = reshape(iota(rows, 'int32'), [rows, 1]);
  return compare(op, sub(reshape(iota(columns, 'int32'), [1, columns]), row), scalar(offset, 'int32'));
}

const keep = (mask: Tensor, x: Tensor): Tensor => select(mask, x, scalar(0, x.dtype));
const lastTwo = ({ shape }: { shape: Shape }): [number, number] => shape.slice(-2) as [number, number];

/** Elements on and below the diagonal `offset` places above the main one; 0 elsewhere. */
export const lowerTriangle = (x: Tensor, offset: number = 0): Tensor =>
  keep(where('le', ...lastTwo(x), offset), x);

/** Elements on and above that diagonal; 0 elsewhere. */
export const upperTriangle = (x: Tensor, offset: number = 0): Tensor => {
  const below = where('lt', ...lastTwo(x), offset);
  return select(below, scalar(0, x.dtype), x);
};

/** bool[rows, columns]: the main diagonal. */
export const onDiagonal = (rows: number, columns: number): Tensor => where('eq', rows, columns, 0);

/** The main diagonals as vectors. */
export function diagonalOf(x: Tensor): Tensor {
  const [m, n] = lastTwo(x);
  return reduceSum(keep(onDiagonal(m, n), x), [m <= n ? x.ndim - 1 : x.ndim - 2]);
}

/** The identity. */
export const identity = (n: number, dtype: Aval['dtype']): Tensor =>
  select(onDiagonal(n, n), scalar(1, dtype), scalar(0, dtype));

/** [n] -> [1, n] */
export const asRow = (x: Tensor): Tensor =>
  reshape(x, [...x.shape.slice(0, -1), 1, x.shape.at(-1) as number]);
/** [n] -> [n, 1] */
export const asColumn = (x: Tensor): Tensor => reshape(x, [...x.shape, 1]);

/**
 * The batching rule of what solves for columns: where only the right-hand side has a batch, its examples are more
 * columns of the one system.
 */
export function batchColumns(
  b: Tensor,
  axis: number,
  size: number,
  solve: (columns: Tensor) => Tensor,
): [Tensor[], (number | null)[]] {
  const last = moveAxis(b, axis, b.ndim - 1); // [..., n, k, size]
  const [n, k] = last.shape.slice(-3) as [number, number, number];
  const lead = last.shape.slice(0, -3);
  const x = solve(reshape(last, [...lead, n, k * size]));
  return [[reshape(x, [...lead, n, k, size])], [last.ndim - 1]];
}
