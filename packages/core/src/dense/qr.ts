import { addMultiple, lengthOf, Matrix } from './matrix.ts';

/** H = I - beta v vᵀ with H x = alpha e₀. */
export interface Reflector {
  readonly v: Float64Array;
  readonly beta: number;
  readonly alpha: number;
}

/** The reflection that turns a vector onto the first axis, away from its own first element; none where it lies there. */
export function reflector(x: Float64Array): Reflector {
  const v = x.slice();
  const first = v[0] as number;
  if (lengthOf(v.subarray(1)) === 0) return { v, beta: 0, alpha: first };
  const alpha = -Math.sign(first || 1) * lengthOf(x);
  const lead = first - alpha;
  for (let i = 1; i < v.length; i++) v[i] = (v[i] as number) / lead;
  v[0] = 1;
  return { v, beta: -lead / alpha, alpha };
}

/** a <- H a, where H acts on the rows from `from` on, in the columns from `column` on. */
export function reflect({ v, beta }: Reflector, a: Matrix, from: number, column: number): void {
  if (beta === 0) return;
  const sums = new Float64Array(a.columns - column);
  const tail = (i: number): Float64Array => a.row(from + i).subarray(column);
  for (let i = 0; i < v.length; i++) addMultiple(sums, v[i] as number, tail(i));
  for (let i = 0; i < v.length; i++) addMultiple(tail(i), -beta * (v[i] as number), sums);
}

/**
 * Householder's QR: a = q r with q[m, count] of orthonormal columns and r[count, n] upper triangular, of the signs that
 * LAPACK gives.
 */
export function qr(a: Matrix, count: number): { q: Matrix; r: Matrix } {
  const { rows: m, columns: n } = a;
  const work = new Matrix(m, n, a.values.slice());
  const reflectors: Reflector[] = [];
  for (let k = 0; k < Math.min(m, n); k++) {
    const column = Float64Array.from({ length: m - k }, (_, i) => work.get(k + i, k));
    const h = reflector(column);
    reflect(h, work, k, k);
    work.set(k, k, h.alpha);
    for (let i = k + 1; i < m; i++) work.set(i, k, 0);
    reflectors.push(h);
  }
  const q = Matrix.identity(m, count);
  for (const [k, h] of [...reflectors.entries()].reverse()) reflect(h, q, k, 0);
  return { q, r: new Matrix(count, n, work.values.slice(0, count * n)) };
}

/** More columns for a matrix of orthonormal columns, so that it has `count`. */
export function completeColumns(q: Matrix, count: number): Matrix {
  if (q.columns === count) return q;
  const whole = qr(q, count).q;
  for (let i = 0; i < q.rows; i++) whole.row(i).set(q.row(i));
  return whole;
}
