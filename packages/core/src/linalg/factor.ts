/** Factorisations. */
import { OptionError } from '../errors.ts';
import { checkOptions, show } from '../ops/check.ts';
import type { TensorLike } from '../ops/convert.ts';
import { add, mul } from '../primitives/arithmetic.ts';
import { cholesky as choleskyPrimitive } from '../primitives/cholesky.ts';
import { eigh as eighPrimitive } from '../primitives/eigh.ts';
import { lu as luPrimitive, permutationMatrix } from '../primitives/lu.ts';
import {
  identity,
  lowerTriangle,
  transposed,
  transposedTimes,
  upperTriangle,
} from '../primitives/matrices.ts';
import { concatenate, slice } from '../primitives/movement.ts';
import { scalar } from '../primitives/pointwise.ts';
import { qr as qrPrimitive } from '../primitives/qr.ts';
import { svd as svdPrimitive } from '../primitives/svd.ts';
import type { Tensor } from '../tensor.ts';
import { matrices, squareMatrices } from './operands.ts';

/** (x + xᵀ) / 2, so that derivatives are symmetric too. */
const symmetric = (x: Tensor): Tensor => mul(add(x, transposed(x)), scalar(0.5, x.dtype));

/**
 * The Cholesky factor: the lower triangular L with `L Lᵀ = a`, or its transpose with `upper`.
 *
 * As in JAX, `a` is made symmetric first, and where it is not positive definite the factor is NaN: nothing can be
 * thrown under `jit`.
 *
 * @param a Symmetric positive definite, `[…, N, N]`.
 * @returns `[…, N, N]`, triangular with a positive diagonal.
 * @throws {ShapeError} unless the matrices are square.
 * @example linalg.cholesky(tensor([[4, 2], [2, 5]]))          // [[2, 0], [1, 2]]
 */
export function cholesky(a: TensorLike, options: { readonly upper?: boolean | undefined } = {}): Tensor {
  checkOptions('linalg.cholesky', options, ['upper']);
  const l = choleskyPrimitive(symmetric(squareMatrices('cholesky', a)));
  return options.upper ? transposed(l) : l;
}

/**
 * The LU factorisation with partial pivoting: `a = p l u`, as SciPy's `lu`.
 *
 * @param a `[…, M, N]`
 * @returns `p[…, M, M]`, a permutation; `l[…, M, K]`, lower triangular with ones on its diagonal; `u[…, K, N]`, upper triangular;
 *   K is the lesser of M and N. Derivatives by `a` exist where the first K columns are independent.
 * @throws {ShapeError} if `a` has fewer than two axes.
 * @example linalg.lu(tensor([[0, 2], [1, 3]])).u               // [[1, 3], [0, 2]]
 */
export function lu(a: TensorLike): { p: Tensor; l: Tensor; u: Tensor } {
  const x = matrices('lu', a);
  const [m, n] = x.shape.slice(-2) as [number, number];
  const k = Math.min(m, n);
  const [factors, order] = luPrimitive(x);
  const corner = (rows: number, columns: number): Tensor =>
    slice(
      factors,
      factors.shape.map(() => 0),
      [...x.shape.slice(0, -2), rows, columns],
      factors.shape.map(() => 1),
    );
  const ones = slice(identity(m, x.dtype), [0, 0], [m, k], [1, 1]);
  return {
    p: transposed(permutationMatrix(order, m, x.dtype)),
    l: add(lowerTriangle(corner(m, k), -1), ones),
    u: upperTriangle(corner(k, n)),
  };
}

/**
 * The QR factorisation: `a = q r` with orthonormal columns of q and r upper triangular, by Householder reflections and
 * with LAPACK's signs, as in NumPy.
 *
 * @param a `[…, M, N]`
 * @param options.mode `reduced` by default: `q[…, M, K]`, `r[…, K, N]`, K the lesser of M and N. `complete`:
 *   `q[…, M, M]`, `r[…, M, N]`.
 * @throws {ShapeError} if `a` has fewer than two axes. {OptionError} for another mode. {RuleError} if a complete
 *   factorisation of a tall matrix is differentiated: the further columns are not determined by it.
 * @example linalg.qr(tensor([[3, 0], [4, 5]])).r               // [[-5, -4], [0, 3]]
 */
export function qr(
  a: TensorLike,
  options: { readonly mode?: 'reduced' | 'complete' | undefined } = {},
): { q: Tensor; r: Tensor } {
  checkOptions('linalg.qr', options, ['mode']);
  const { mode = 'reduced' } = options;
  if (mode !== 'reduced' && mode !== 'complete')
    throw new OptionError(`linalg.qr: mode is 'reduced' or 'complete', but got ${show(mode)}.`);
  const x = matrices('qr', a);
  const [m, n] = x.shape.slice(-2) as [number, number];
  if (m >= n) {
    const [q, r] = qrPrimitive(x, mode === 'complete');
    return { q, r };
  }
  // The first M columns determine q; the others are only turned.
  const columns = (from: number, to: number): Tensor =>
    slice(
      x,
      x.shape.map((_, i) => (i === x.ndim - 1 ? from : 0)),
      x.shape.with(-1, to),
      x.shape.map(() => 1),
    );
  const [q, r] = qrPrimitive(columns(0, m), false);
  return { q, r: concatenate([r, transposedTimes(q, columns(m, n))], x.ndim - 1) };
}

/**
 * Eigenvalues and eigenvectors of symmetric matrices: `a v = v diag(w)`.
 *
 * `a` is made symmetric first. Of an eigenvector and its negative, the one is given whose greatest element is positive.
 * The derivatives of eigenvectors have `1 / (wⱼ - wᵢ)` in them: for repeated eigenvalues they are infinite or NaN,
 * while those of the eigenvalues alone are finite.
 *
 * @param a Symmetric, `[…, N, N]`.
 * @returns `eigenvalues[…, N]`, ascending, and `eigenvectors[…, N, N]`, orthonormal columns. NaN where `a` is not finite.
 * @throws {ShapeError} unless the matrices are square.
 * @example linalg.eigh(tensor([[2, 1], [1, 2]])).eigenvalues   // [1, 3]
 */
export function eigh(a: TensorLike): { eigenvalues: Tensor; eigenvectors: Tensor } {
  const [eigenvalues, eigenvectors] = eighPrimitive(symmetric(squareMatrices('eigh', a)));
  return { eigenvalues, eigenvectors };
}

/**
 * The eigenvalues of symmetric matrices, ascending; see {@link eigh}.
 * @param a Symmetric, `[…, N, N]`.
 * @returns `[…, N]`
 * @throws {ShapeError} unless the matrices are square.
 * @example linalg.eigvalsh(tensor([[2, 1], [1, 2]]))           // [1, 3]
 */
export function eigvalsh(a: TensorLike): Tensor {
  return eighPrimitive(symmetric(squareMatrices('eigvalsh', a)))[0];
}

/**
 * The singular value decomposition: `a = u diag(s) vh`.
 *
 * The greatest element of each row of `vh` is positive. The derivatives of singular vectors are infinite or NaN where
 * singular values are equal (or 0, if `a` is not square), while those of the values alone are finite.
 *
 * @param a `[…, M, N]`
 * @param options.fullMatrices Whether u is `[…, M, M]` and vh `[…, N, N]`, as by default in NumPy; otherwise they are
 *   `[…, M, K]` and `[…, K, N]`, K the lesser of M and N.
 * @returns u and vh with orthonormal columns and rows, `s[…, K]`, descending. NaN where `a` is not finite.
 * @throws {ShapeError} if `a` has fewer than two axes. {RuleError} if full matrices of an `a` that is not square are
 *   differentiated.
 * @example linalg.svd(tensor([[0, 2], [3, 0]])).s              // [3, 2]
 */
export function svd(
  a: TensorLike,
  options: { readonly fullMatrices?: boolean | undefined } = {},
): { u: Tensor; s: Tensor; vh: Tensor } {
  checkOptions('linalg.svd', options, ['fullMatrices']);
  const x = matrices('svd', a);
  const [u, s, vh] = svdPrimitive(x, options.fullMatrices ?? true);
  return { u, s, vh };
}

/**
 * The singular values, descending; see {@link svd}.
 * @param a `[…, M, N]`
 * @returns `[…, K]`, K the lesser of M and N.
 * @throws {ShapeError} if `a` has fewer than two axes.
 * @example linalg.svdvals(tensor([[0, 2], [3, 0]]))            // [3, 2]
 */
export function svdvals(a: TensorLike): Tensor {
  return svdPrimitive(matrices('svdvals', a), false)[1];
}
