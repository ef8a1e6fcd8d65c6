/** Random problems with known spectra, in plain numbers. */
import { add, matmul, multiply, sum, type Tensor, tensor } from '@neumann/core';
import fc from 'fast-check';

export type Vector = number[];
export type Matrix = number[][];

/** Multiples of 1/1024: not so small that their squares underflow. */
export const number = (min: number, max: number) =>
  fc.integer({ min: Math.ceil(min * 1024), max: Math.floor(max * 1024) }).map((n) => n / 1024);
export const vector = (n: number, size = 1) => fc.array(number(-size, size), { minLength: n, maxLength: n });
/** xᵀ y */
export const dot = (x: Vector, y: Vector): number => x.reduce((s, a, i) => s + a * (y[i] as number), 0);
export const apply = (a: Matrix, x: Vector): Vector => a.map((row) => dot(row, x));
const flip = (a: Matrix): Matrix => (a[0] as Vector).map((_, j) => a.map((row) => row[j] as number));

/** Orthogonal, as a product of n Householder reflections. */
export const orthogonal = (n: number): fc.Arbitrary<Matrix> =>
  fc.array(vector(n), { minLength: n, maxLength: n }).map((normals) => {
    const identity = normals.map((_, i) => normals.map((_, j) => Number(i === j)));
    return normals.reduce((q, u) => {
      const u2 = dot(u, u);
      return u2 < 1e-3
        ? q
        : q.map((row) => row.map((x, j) => x - ((2 * dot(row, u)) / u2) * (u[j] as number)));
    }, identity);
  });

export interface Spectral {
  readonly q: Matrix;
  readonly lambda: Vector;
  readonly b: Vector;
}

/** A symmetric matrix by its eigenvectors (columns of q) and eigenvalues, with a vector. */
export const spectral = (min: number, max: number, n = 4): fc.Arbitrary<Spectral> =>
  fc.record({
    q: orthogonal(n),
    lambda: fc.array(number(min, max), { minLength: n, maxLength: n }),
    b: vector(n),
  });

/** f(A) b */
export const functionOf = ({ q, lambda, b }: Spectral, f: (l: number) => number): Vector => {
  const coordinates = apply(flip(q), b);
  return apply(
    q,
    coordinates.map((c, i) => c * f(lambda[i] as number)),
  );
};

export const matrixOf = ({ q, lambda }: Spectral): Matrix =>
  q.map((row) =>
    q.map((other) => row.reduce((s, x, k) => s + x * (lambda[k] as number) * (other[k] as number), 0)),
  );

export const f64 = (x: Vector | Matrix | number): Tensor => tensor(x, 'float64');

/** ½ xᵀ A x + bᵀ x */
export const quadraticOf = (s: Spectral) => {
  const [a, b] = [f64(matrixOf(s)), f64(s.b)];
  return ({ x }: { x: Tensor }) => add(multiply(0.5, sum(multiply(x, matmul(a, x)))), sum(multiply(b, x)));
};
