import { eigh } from './eigh.ts';
import { addMultiple, inner, lengthOf, Matrix, pointUp, rotate } from './matrix.ts';
import { completeColumns, qr } from './qr.ts';

/** a = u diag(s) v, singular values descending; v has the right singular vectors as rows. */
export interface SingularValues {
  readonly u: Matrix;
  readonly s: Float64Array;
  readonly v: Matrix;
}

/** Sweeps at most; two or three are usual. */
const maxSweeps = 60;

/** Of a matrix with greatest element 1: vectors that are shorter have no direction that can be told. */
const negligible = 2 ** -1000;

/**
 * Singular values by QR and one-sided Jacobi rotations, with `uCount` columns of u and `vCount` rows of v. The
 * greatest element of each row of v is positive. NaN if an element is not finite.
 */
export function svd(a: Matrix, uCount: number, vCount: number): SingularValues {
  if (!a.isFinite()) {
    const nan = (rows: number, columns: number): Matrix =>
      new Matrix(rows, columns, new Float64Array(rows * columns).fill(Number.NaN));
    const s = new Float64Array(Math.min(a.rows, a.columns)).fill(Number.NaN);
    return { u: nan(a.rows, uCount), s, v: nan(vCount, a.columns) };
  }
  const wide = a.rows < a.columns;
  const { left, s, right } = tallSvd(wide ? a.transposed() : a);
  const [u, v] = wide ? [right, left] : [left, right];
  const rowsOfV = completeColumns(v, vCount).transposed();
  const wholeU = completeColumns(u, uCount).transposed();
  for (let i = 0; i < s.length; i++)
    if (pointUp(rowsOfV.row(i))) wholeU.row(i).set(wholeU.row(i).map((x) => -x));
  return { u: wholeU.transposed(), s, v: rowsOfV };
}

/** For at least as many rows as columns: left[m, n] and right[n, n] with the vectors as columns. */
function tallSvd(a: Matrix): { left: Matrix; s: Float64Array; right: Matrix } {
  const n = a.columns;
  const scale = a.values.reduce((greatest, x) => Math.max(greatest, Math.abs(x)), 0) || 1;
  const { q, r } = qr(a.scaled(1 / scale), n);
  // Rows of `work` are columns of r V; they become orthogonal, and V collects the rotations. The eigenvectors of rᵀ r
  // are V but for the small singular values, whose digits they lose; a few rotations put them right.
  const rt = r.transposed();
  const turns = eigh(rt.times(r)).vectors;
  const work = turns.times(rt);
  for (let sweep = 0; sweep < maxSweeps && orthogonalize(work, turns); sweep++);
  const lengths = Float64Array.from({ length: n }, (_, i) => lengthOf(work.row(i)));
  const order = Array.from(lengths.keys()).sort((i, j) => (lengths[j] as number) - (lengths[i] as number));
  const rank = order.filter((i) => (lengths[i] as number) > negligible).length;
  const units = new Matrix(rank, n);
  const right = new Matrix(n, n);
  for (const [to, from] of order.entries()) {
    right.row(to).set(turns.row(from));
    if (to < rank) addMultiple(units.row(to), 1 / (lengths[from] as number), work.row(from));
  }
  return {
    left: q.times(completeColumns(units.transposed(), n)),
    s: Float64Array.from(order, (i) => scale * (lengths[i] as number)),
    right: right.transposed(),
  };
}

/** One rotation for each pair of rows that are not orthogonal. Whether there was any. */
function orthogonalize(work: Matrix, turns: Matrix): boolean {
  const n = work.rows;
  // What rounding leaves of an inner product of n terms.
  const tolerance = 2 ** -52 * Math.sqrt(n);
  let rotated = false;
  for (let i = 0; i < n; i++)
    for (let j = i + 1; j < n; j++) {
      const [x, y] = [work.row(i), work.row(j)];
      const [xx, yy, xy] = [inner(x, x), inner(y, y), inner(x, y)];
      if (!(Math.abs(xy) > tolerance * Math.sqrt(xx * yy))) continue;
      const zeta = (yy - xx) / (2 * xy);
      const t = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.hypot(1, zeta));
      const c = 1 / Math.hypot(1, t);
      rotate(x, y, c, c * t);
      rotate(turns.row(i), turns.row(j), c, c * t);
      rotated = true;
    }
  return rotated;
}
