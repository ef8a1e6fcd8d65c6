/** What linear algebra means, by textbook formulas that no library would compute with: nothing here shares code with core. */
import type { HostTensor } from './host.ts';

/** A matrix as rows. */
export type Rows = number[][];

/** The matrices of the last two axes. */
export function matricesOf({ shape, values }: HostTensor): Rows[] {
  const [m, n] = shape.slice(-2) as [number, number];
  const count = shape.slice(0, -2).reduce((product, extent) => product * extent, 1);
  return Array.from({ length: count }, (_, b) =>
    Array.from({ length: m }, (_, i) => Array.from(values.slice((b * m + i) * n, (b * m + i + 1) * n))),
  );
}

export const flatten = (matrices: readonly Rows[]): number[] => matrices.flat(2);

export const at = (a: Rows, i: number, j: number): number => (a[i] as number[])[j] as number;

export const matrix = (m: number, n: number, element: (i: number, j: number) => number): Rows =>
  Array.from({ length: m }, (_, i) => Array.from({ length: n }, (_, j) => element(i, j)));

const sum = (n: number, term: (k: number) => number): number =>
  Array.from({ length: n }, (_, k) => term(k)).reduce((total, x) => total + x, 0);

const columnsOf = (a: Rows): number => a[0]?.length ?? 0;

export const flip = (a: Rows): Rows => matrix(columnsOf(a), a.length, (i, j) => at(a, j, i));

export const product = (a: Rows, b: Rows): Rows =>
  matrix(a.length, columnsOf(b), (i, j) => sum(b.length, (k) => at(a, i, k) * at(b, k, j)));

const without = (a: Rows, row: number, column: number): Rows =>
  a.filter((_, i) => i !== row).map((r) => r.filter((_, j) => j !== column));

/** Laplace's expansion along the first row. */
export function determinant(a: Rows): number {
  return a.length === 0
    ? 1
    : sum(a.length, (j) => (j % 2 === 0 ? 1 : -1) * at(a, 0, j) * determinant(without(a, 0, j)));
}

/** Transposed cofactors. */
export const cofactors = (a: Rows): Rows =>
  matrix(a.length, a.length, (i, j) => ((i + j) % 2 === 0 ? 1 : -1) * determinant(without(a, j, i)));

/** Cramer's rule. */
export function inverse(a: Rows): Rows {
  const d = determinant(a);
  return cofactors(a).map((row) => row.map((x) => x / d));
}

/** For independent columns or rows, by the normal equations. */
export const pseudoInverse = (a: Rows): Rows =>
  a.length >= columnsOf(a)
    ? product(inverse(product(flip(a), a)), flip(a))
    : product(flip(a), inverse(product(a, flip(a))));

/** 40 terms of the series, of a matrix of norm at most 4 or so. */
export function exponential(a: Rows): Rows {
  let term = matrix(a.length, a.length, (i, j) => Number(i === j));
  let total = term;
  for (let k = 1; k <= 40; k++) {
    term = product(term, a).map((row) => row.map((x) => x / k));
    const next = term;
    total = total.map((row, i) => row.map((x, j) => x + at(next, i, j)));
  }
  return total;
}

/** The Cholesky factor, element by element. */
export function choleskyFactor(a: Rows): Rows {
  const l = matrix(a.length, a.length, () => 0);
  for (let i = 0; i < a.length; i++)
    for (let j = 0; j <= i; j++) {
      const rest = at(a, i, j) - sum(j, (k) => at(l, i, k) * at(l, j, k));
      (l[i] as number[])[j] = i === j ? Math.sqrt(rest) : rest / at(l, j, j);
    }
  return l;
}
