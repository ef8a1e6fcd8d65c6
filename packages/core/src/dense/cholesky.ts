import { inner, type Matrix } from './matrix.ts';

/**
 * The Cholesky factor of a symmetric matrix of which the lower triangle is read, in its place; the upper becomes 0.
 * Where the matrix is not positive definite, the lower triangle is NaN.
 */
export function cholesky(a: Matrix): void {
  const n = a.rows;
  let good = true;
  for (let j = 0; j < n; j++) {
    const head = a.row(j).subarray(0, j);
    const rest = a.get(j, j) - inner(head, head);
    good &&= rest > 0;
    const pivot = good ? Math.sqrt(rest) : Number.NaN;
    a.set(j, j, pivot);
    for (let i = j + 1; i < n; i++) {
      a.set(i, j, (a.get(i, j) - inner(a.row(i).subarray(0, j), head)) / pivot);
      a.set(j, i, 0);
    }
  }
  if (good) return;
  for (let i = 0; i < n; i++) a.row(i).fill(Number.NaN, 0, i + 1);
}
