import { addMultiple, inner, Matrix, pointUp, rotate } from './matrix.ts';
import { type Reflector, reflect, reflector } from './qr.ts';

/** Eigenvalues, ascending, and eigenvectors as rows. */
export interface Spectrum {
  readonly values: Float64Array;
  readonly vectors: Matrix;
}

/** QL steps for one eigenvalue at most; two or three are usual. */
const maxSteps = 60;

/**
 * The spectrum of a symmetric matrix of which both triangles are read: Householder's tridiagonal form, then implicit QL with Wilkinson's
 * shift. Of x and -x, the eigenvector whose greatest element is positive. NaN if an element is not finite.
 */
export function eigh(a: Matrix): Spectrum {
  const n = a.rows;
  const { diagonal, beside, vectors } = tridiagonal(a);
  if (!a.isFinite() || !diagonalize(diagonal, beside, vectors)) {
    diagonal.fill(Number.NaN);
    vectors.values.fill(Number.NaN);
  }
  const order = Array.from(diagonal.keys()).sort((i, j) => (diagonal[i] as number) - (diagonal[j] as number));
  const sorted = new Matrix(n, n);
  for (const [to, from] of order.entries()) {
    const row = sorted.row(to);
    row.set(vectors.row(from));
    pointUp(row);
  }
  return { values: Float64Array.from(order, (i) => diagonal[i] as number), vectors: sorted };
}

interface Tridiagonal {
  readonly diagonal: Float64Array;
  /** Element i stands between i and i + 1. */
  readonly beside: Float64Array;
  /** Rows: a = vectorsᵀ T vectors. */
  readonly vectors: Matrix;
}

function tridiagonal(a: Matrix): Tridiagonal {
  const n = a.rows;
  const work = new Matrix(n, n, a.values.slice());
  const reflectors: Reflector[] = [];
  const beside = new Float64Array(n);
  for (let k = 0; k + 1 < n; k++) {
    const h = reflector(work.row(k).slice(k + 1));
    beside[k] = h.alpha;
    reflectors.push(h);
    reflectBothSides(h, work, k + 1);
  }
  const vectors = Matrix.identity(n);
  for (const [k, h] of [...reflectors.entries()].reverse()) reflect(h, vectors, k + 1, 0);
  return {
    diagonal: Float64Array.from({ length: n }, (_, i) => work.get(i, i)),
    beside,
    vectors: vectors.transposed(),
  };
}

/** a <- H a H in the rows and columns from `from` on, for symmetric a: a - v wᵀ - w vᵀ. */
function reflectBothSides({ v, beta }: Reflector, a: Matrix, from: number): void {
  if (beta === 0) return;
  const tail = (i: number): Float64Array => a.row(from + i).subarray(from);
  const w = Float64Array.from(v, (_, i) => beta * inner(tail(i), v));
  addMultiple(w, -0.5 * beta * inner(w, v), v);
  for (let i = 0; i < v.length; i++) {
    addMultiple(tail(i), -(v[i] as number), w);
    addMultiple(tail(i), -(w[i] as number), v);
  }
}

/** Makes the elements beside the diagonal 0. Whether it succeeded. */
function diagonalize(d: Float64Array, e: Float64Array, vectors: Matrix): boolean {
  const n = d.length;
  const at = (x: Float64Array, i: number): number => x[i] as number;
  for (let first = 0; first < n; first++)
    for (let step = 0; ; step++) {
      let last = first;
      while (last + 1 < n && !isNegligible(at(e, last), at(d, last), at(d, last + 1))) last++;
      if (last === first) break;
      if (step === maxSteps) return false;
      const gap = (at(d, first + 1) - at(d, first)) / (2 * at(e, first));
      const root = Math.hypot(gap, 1);
      let g = at(d, last) - at(d, first) + at(e, first) / (gap + (gap < 0 ? -root : root));
      let [s, c, shift] = [1, 1, 0];
      let i = last - 1;
      for (; i >= first; i--) {
        const [f, b] = [s * at(e, i), c * at(e, i)];
        const r = Math.hypot(f, g);
        e[i + 1] = r;
        if (r === 0) break; // the matrix falls apart here
        [s, c] = [f / r, g / r];
        const corner = at(d, i + 1) - shift;
        const turned = (at(d, i) - corner) * s + 2 * c * b;
        shift = s * turned;
        d[i + 1] = corner + shift;
        g = c * turned - b;
        rotate(vectors.row(i), vectors.row(i + 1), c, s);
      }
      e[last] = 0;
      if (i >= first) {
        d[i + 1] = at(d, i + 1) - shift;
        continue;
      }
      d[first] = at(d, first) - shift;
      e[first] = g;
    }
  return true;
}

const isNegligible = (e: number, a: number, b: number): boolean =>
  Math.abs(e) <= 2 ** -53 * (Math.abs(a) + Math.abs(b));
