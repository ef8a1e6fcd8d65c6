import { addMultiple, type Matrix } from './matrix.ts';

/**
 * Gaussian elimination with partial pivoting, in place: below the diagonal the multipliers (L without its ones), from
 * the diagonal on U.
 *
 * @returns Where each row came from: row i of L U is row `order[i]` of the matrix.
 */
export function lu(a: Matrix): Int32Array {
  const { rows: m, columns: n } = a;
  const order = Int32Array.from({ length: m }, (_, i) => i);
  for (let k = 0; k < Math.min(m, n); k++) {
    let pivot = k;
    for (let i = k + 1; i < m; i++) if (Math.abs(a.get(i, k)) > Math.abs(a.get(pivot, k))) pivot = i;
    a.swapRows(k, pivot);
    [order[k], order[pivot]] = [order[pivot] as number, order[k] as number];
    const divisor = a.get(k, k);
    if (divisor === 0) continue; // all below is 0
    const head = a.row(k).subarray(k + 1);
    for (let i = k + 1; i < m; i++) {
      const factor = a.get(i, k) / divisor;
      a.set(i, k, factor);
      if (factor !== 0) addMultiple(a.row(i).subarray(k + 1), -factor, head);
    }
  }
  return order;
}

/** Whether a permutation is even (1) or odd (-1). */
export function parity(order: ArrayLike<number>): number {
  const seen = new Uint8Array(order.length);
  let sign = 1;
  for (let i = 0; i < order.length; i++)
    for (let j = i, steps = 0; !seen[j]; j = order[j] as number, steps++) {
      seen[j] = 1;
      if (steps > 0) sign = -sign;
    }
  return sign;
}

/** Whether elements on the diagonal count as 1, and which triangle is read. */
export interface TriangleOptions {
  readonly lower: boolean;
  readonly transpose: boolean;
  readonly unitDiagonal: boolean;
}

/** Solves a x = b (aᵀ x = b with `transpose`) in the place of b, a triangular. */
export function substitute(a: Matrix, b: Matrix, { lower, transpose, unitDiagonal }: TriangleOptions): void {
  const n = a.rows;
  const forward = lower !== transpose;
  const element = (i: number, j: number): number => (transpose ? a.get(j, i) : a.get(i, j));
  for (let step = 0; step < n; step++) {
    const i = forward ? step : n - 1 - step;
    const row = b.row(i);
    for (let j = forward ? 0 : i + 1; j < (forward ? i : n); j++) {
      const factor = element(i, j);
      if (factor !== 0) addMultiple(row, -factor, b.row(j));
    }
    if (unitDiagonal) continue;
    const divisor = element(i, i);
    for (let k = 0; k < row.length; k++) row[k] = (row[k] as number) / divisor;
  }
}

/** Solves a x = b (aᵀ x = b with `transpose`) from the result of {@link lu}. */
export function solveFactored(
  factors: Matrix,
  order: ArrayLike<number>,
  b: Matrix,
  transpose: boolean,
): Matrix {
  const result = new (b.constructor as typeof Matrix)(b.rows, b.columns);
  const l = { lower: true, transpose, unitDiagonal: true };
  const u = { lower: false, transpose, unitDiagonal: false };
  if (!transpose) {
    for (let i = 0; i < b.rows; i++) result.row(i).set(b.row(order[i] as number));
    substitute(factors, result, l);
    substitute(factors, result, u);
    return result;
  }
  const work = new (b.constructor as typeof Matrix)(b.rows, b.columns, b.values.slice());
  substitute(factors, work, u);
  substitute(factors, work, l);
  for (let i = 0; i < b.rows; i++) result.row(order[i] as number).set(work.row(i));
  return result;
}
