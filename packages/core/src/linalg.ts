/**
 * Linear algebra on the last two axes: factorisations, equations, determinants, norms. Leading axes are batches.
 *
 * Everything is computed in float64 and rounded to the dtype of the operand. It runs on the host, on every backend
 * (`docs/decisions/0009-host-steps.md`). There are no complex numbers, so there is no `eig` of matrices that are not symmetric.
 */
export { cholesky, eigh, eigvalsh, lu, qr, svd, svdvals } from './linalg/factor.ts';
export { expm, matrixPower, matrixTranspose, multiDot } from './linalg/products.ts';
export {
  choleskySolve,
  inv,
  lstsq,
  matrixRank,
  pinv,
  type RankOptions,
  solve,
  type TriangularSolveOptions,
  triangularSolve,
} from './linalg/solve.ts';
export { cond, det, type NormOptions, type NormOrder, norm, slogdet } from './linalg/values.ts';
