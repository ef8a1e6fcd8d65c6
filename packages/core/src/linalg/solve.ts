/** Equations, and what is like them. */
import { showAval } from '../aval.ts';
import { ShapeError } from '../errors.ts';
import { checkOptions } from '../ops/check.ts';
import { operand, type TensorLike } from '../ops/convert.ts';
import { compare, convert, mul, sub } from '../primitives/arithmetic.ts';
import { linearSolve } from '../primitives/lu.ts';
import { identity, times } from '../primitives/matrices.ts';
import { broadcastTo, reshape } from '../primitives/movement.ts';
import { pinv as pinvPrimitive } from '../primitives/pinv.ts';
import { scalar } from '../primitives/pointwise.ts';
import { reduceMax, reduceSum } from '../primitives/reduce.ts';
import { svd } from '../primitives/svd.ts';
import { triangularSolve as triangularPrimitive } from '../primitives/triangularSolve.ts';
import type { Tensor } from '../tensor.ts';
import { epsilonOf, matrices, squareMatrices, withColumns } from './operands.ts';

const rowsOf = (a: Tensor): number => a.shape.at(-2) as number;

/**
 * The solution of `a x = b`, by LU with partial pivoting.
 *
 * @param a `[…, N, N]`. A singular matrix gives infinities or NaN, not an error.
 * @param b `[…, N, K]`, or one vector `[N]`, as in NumPy 2; leading axes broadcast.
 * @returns The shape of `b`, broadcast.
 * @throws {ShapeError} if the shapes do not fit.
 * @example linalg.solve(tensor([[2, 1], [1, 3]]), tensor([3, 5]))   // [0.8, 1.4]
 */
export function solve(a: TensorLike, b: TensorLike): Tensor {
  return withColumns('solve', squareMatrices('solve', a), b, rowsOf, linearSolve);
}

/** Options of {@link triangularSolve}. */
export interface TriangularSolveOptions {
  /** Whether the lower triangle of `a` is read, and not the upper one; false by default. */
  readonly lower?: boolean | undefined;
  /** Solves `aᵀ x = b`. */
  readonly transpose?: boolean | undefined;
  /** The diagonal counts as ones and is not read. */
  readonly unitDiagonal?: boolean | undefined;
}

/**
 * The solution of `a x = b` for a triangular matrix; the other triangle is not read. SciPy's `solve_triangular`.
 *
 * @param a `[…, N, N]`. A zero on the diagonal gives infinities or NaN.
 * @param b `[…, N, K]` or `[N]`; leading axes broadcast.
 * @returns The shape of `b`, broadcast.
 * @throws {ShapeError} if the shapes do not fit.
 * @example linalg.triangularSolve(tensor([[2, 0], [1, 4]]), tensor([2, 5]), { lower: true })   // [1, 1]
 */
export function triangularSolve(a: TensorLike, b: TensorLike, options: TriangularSolveOptions = {}): Tensor {
  checkOptions('linalg.triangularSolve', options, ['lower', 'transpose', 'unitDiagonal']);
  const { lower = false, transpose = false, unitDiagonal = false } = options;
  return withColumns('triangularSolve', squareMatrices('triangularSolve', a), b, rowsOf, (x, y) =>
    triangularPrimitive(x, y, { lower, transpose, unitDiagonal }),
  );
}

/**
 * The solution of `l lᵀ x = b`, from the factor that `linalg.cholesky` gives. SciPy's `cho_solve`.
 *
 * @param l Lower triangular, `[…, N, N]`.
 * @param b `[…, N, K]` or `[N]`; leading axes broadcast.
 * @returns The shape of `b`, broadcast.
 * @throws {ShapeError} if the shapes do not fit.
 * @example linalg.choleskySolve(linalg.cholesky(tensor([[4, 2], [2, 5]])), tensor([6, 7]))   // [1, 1]
 */
export function choleskySolve(l: TensorLike, b: TensorLike): Tensor {
  const half = { lower: true, unitDiagonal: false };
  return withColumns('choleskySolve', squareMatrices('choleskySolve', l), b, rowsOf, (x, y) =>
    triangularPrimitive(x, triangularPrimitive(x, y, { ...half, transpose: false }), {
      ...half,
      transpose: true,
    }),
  );
}

/**
 * The inverse. To solve equations, {@link solve} is more accurate and faster.
 *
 * @param a `[…, N, N]`. A singular matrix gives infinities or NaN, not an error.
 * @returns `[…, N, N]`
 * @throws {ShapeError} unless the matrices are square.
 * @example linalg.inv(tensor([[2, 0], [0, 4]]))                // [[0.5, 0], [0, 0.25]]
 */
export function inv(a: TensorLike): Tensor {
  const x = squareMatrices('inv', a);
  return linearSolve(x, broadcastTo(identity(x.shape.at(-1) as number, x.dtype), x.shape));
}

/** Options of {@link pinv}. */
export interface RankOptions {
  /** Singular values up to `rtol` times the greatest count as 0. By default the dtype's epsilon times the greater extent. */
  readonly rtol?: number | undefined;
}

/**
 * The Moore–Penrose pseudo-inverse. Its derivatives are those along which the rank stays.
 *
 * @param a `[…, M, N]`
 * @param options.rtol 10 times the dtype's epsilon times the greater extent by default, as in JAX.
 * @returns `[…, N, M]`
 * @throws {ShapeError} if `a` has fewer than two axes.
 * @example linalg.pinv(tensor([[2, 0], [0, 0]]))               // [[0.5, 0], [0, 0]]
 */
export function pinv(a: TensorLike, options: RankOptions = {}): Tensor {
  checkOptions('linalg.pinv', options, ['rtol']);
  const x = matrices('pinv', a);
  return pinvPrimitive(x, options.rtol ?? 10 * defaultTolerance(x));
}

const defaultTolerance = (x: Tensor): number => epsilonOf(x) * Math.max(...x.shape.slice(-2));

/**
 * The least-squares solution of `a x = b`: of the x for which `‖a x - b‖` is least, the shortest.
 *
 * @param a `[M, N]`
 * @param b `[M]` or `[M, K]`
 * @param options.rtol As in NumPy's `rcond`; the dtype's epsilon times the greater extent by default.
 * @returns `x[N]` or `x[N, K]`; `residuals`, the sums of squares `‖a x - b‖²` for each column (NumPy leaves them out unless
 *   M > N and the rank is N); `rank`, int32; `s`, the singular values.
 * @throws {ShapeError} if the shapes do not fit.
 * @example linalg.lstsq(tensor([[1, 0], [1, 1], [1, 2]]), tensor([1, 3, 5])).x   // [1, 2]
 */
export function lstsq(
  a: TensorLike,
  b: TensorLike,
  options: RankOptions = {},
): { x: Tensor; residuals: Tensor; rank: Tensor; s: Tensor } {
  checkOptions('linalg.lstsq', options, ['rtol']);
  const given = matrices('lstsq', a);
  if (given.ndim !== 2)
    throw new ShapeError(`linalg.lstsq: a is one matrix, but is ${showAval(given.aval)}; see vmap().`);
  const rtol = options.rtol ?? defaultTolerance(given);
  const x = withColumns('lstsq', given, b, rowsOf, (m, y) => times(pinvPrimitive(m, rtol), y));
  const moved = withColumns('lstsq', given, x, (m) => m.shape[1] as number, times);
  const rest = sub(moved, convert(operand('linalg.lstsq', b), moved.dtype));
  const [, s] = svd(given, false);
  return { x, residuals: reduceSum(mul(rest, rest), [0]), rank: countAbove(s, rtol), s };
}

/**
 * The rank: how many singular values count.
 *
 * @param a `[…, M, N]`
 * @returns `i32[…]`
 * @throws {ShapeError} if `a` has fewer than two axes.
 * @example linalg.matrixRank(tensor([[1, 2], [2, 4]]))         // 1
 */
export function matrixRank(a: TensorLike, options: RankOptions = {}): Tensor {
  checkOptions('linalg.matrixRank', options, ['rtol']);
  const x = matrices('matrixRank', a);
  return countAbove(svd(x, false)[1], options.rtol ?? defaultTolerance(x));
}

/** How many elements of each row are above `rtol` times the first. */
function countAbove(s: Tensor, rtol: number): Tensor {
  const n = s.shape.at(-1) as number;
  const lead = s.shape.slice(0, -1);
  if (n === 0) return broadcastTo(scalar(0, 'int32'), lead);
  const first = reshape(reduceMax(s, [s.ndim - 1]), [...lead, 1]);
  return reduceSum(convert(compare('lt', mul(first, scalar(rtol, s.dtype)), s), 'int32'), [s.ndim - 1]);
}
