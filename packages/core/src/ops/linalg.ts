/** Products of vectors and matrices. */
import { showAval } from '../aval.ts';
import { isFloat } from '../dtype.ts';
import { DTypeError, ShapeError } from '../errors.ts';
import { mul } from '../primitives/arithmetic.ts';
import { matmul as matmulPrimitive } from '../primitives/matmul.ts';
import { broadcastTo, reshape } from '../primitives/movement.ts';
import { reduceSum } from '../primitives/reduce.ts';
import { broadcastShapes, sizeOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { numericPair, operand, promoteOperands, type TensorLike } from './convert.ts';

/**
 * The matrix product, with NumPy's rules: a vector on the left is a row, on the right a column, and that axis goes
 * again; leading axes are batches and broadcast.
 *
 * @param x Floats: `[…, M, K]` or `[K]`.
 * @param y Floats: `[…, K, N]` or `[K]`.
 * @returns `[…, M, N]`, without `M` or `N` for a vector.
 * @throws {ShapeError} if an operand is a scalar, or the inner extents differ, or the batches do not broadcast.
 * @throws {DTypeError} for integers: no backend multiplies integer matrices.
 * @example matmul(tensor([[1, 2], [3, 4]]), tensor([1, 1]))   // [3, 7]
 */
export function matmul(x: TensorLike, y: TensorLike): Tensor {
  return product('matmul', x, y);
}

/**
 * The inner product of two vectors, or {@link matmul} of matrices.
 *
 * @param x Floats: `[K]` or `[M, K]`.
 * @param y Floats: `[K]` or `[K, N]`.
 * @throws {ShapeError} if an operand has another number of axes, or the inner extents differ.
 * @throws {DTypeError} for integers.
 * @example dot(tensor([1, 2, 3]), tensor([4, 5, 6]))          // 32
 */
export function dot(x: TensorLike, y: TensorLike): Tensor {
  const big = [operand('dot', x), operand('dot', y)].find((t) => t.ndim > 2);
  if (big)
    throw new ShapeError(
      `dot: takes vectors and matrices, but got ${showAval(big.aval)}; matmul() takes batches.`,
    );
  return product('dot', x, y);
}

function product(op: string, x: TensorLike, y: TensorLike): Tensor {
  const [a, b] = promoteOperands(op, x, y) as [Tensor, Tensor];
  const given = `x ${showAval(operand(op, x).aval)} and y ${showAval(operand(op, y).aval)}`;
  if (!isFloat(a.dtype))
    throw new DTypeError(`${op}: needs floats, but got ${given}; convert them with astype().`);
  if (a.ndim === 0 || b.ndim === 0)
    throw new ShapeError(`${op}: needs vectors or matrices, but got ${given}; use multiply().`);
  const k = a.shape.at(-1) as number;
  const inner = b.shape[Math.max(0, b.ndim - 2)] as number;
  if (k !== inner)
    throw new ShapeError(
      `${op}: inner extents must be equal, but ${given} have ${k} and ${inner}; x is […,M,K] and y is […,K,N].`,
    );
  if (a.ndim === 1 && b.ndim === 1) return reduceSum(mul(a, b), [0]);
  const left = a.ndim === 1 ? reshape(a, [1, k]) : a;
  const right = b.ndim === 1 ? reshape(b, [k, 1]) : b;
  const z = batched(op, left, right);
  const [m, n] = z.shape.slice(-2) as [number, number];
  return reshape(z, [...z.shape.slice(0, -2), ...(a.ndim === 1 ? [] : [m]), ...(b.ndim === 1 ? [] : [n])]);
}

function batched(op: string, x: Tensor, y: Tensor): Tensor {
  const [xLead, yLead] = [x.shape.slice(0, -2), y.shape.slice(0, -2)];
  const [m, k] = x.shape.slice(-2) as [number, number];
  const n = y.shape.at(-1) as number;
  if (sizeOf(yLead) === 1) {
    // one matrix for all: the batch is more rows
    const lead = broadcastShapes(op, xLead, yLead);
    const rows = matmulPrimitive(reshape(x, [sizeOf(xLead) * m, k]), reshape(y, [k, n]), false, false);
    return reshape(rows, [...lead, m, n]);
  }
  const lead = broadcastShapes(op, xLead, yLead);
  return matmulPrimitive(broadcastTo(x, [...lead, m, k]), broadcastTo(y, [...lead, k, n]), false, false);
}

/**
 * All products of an element of `x` and one of `y`, both flattened.
 * @returns `[size of x, size of y]`
 * @example outer(tensor([1, 2]), tensor([3, 4]))              // [[3, 4], [6, 8]]
 */
export function outer(x: TensorLike, y: TensorLike): Tensor {
  const [a, b] = [operand('outer', x), operand('outer', y)];
  return mul(...numericPair('outer', reshape(a, [a.size, 1]), reshape(b, [1, b.size])));
}
