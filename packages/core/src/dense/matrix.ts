import type { TypedArray } from '../dtype.ts';

/** A matrix of float64 in row-major order, on which host routines compute. */
export class Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float64Array;
  readonly #rows: Float64Array[] = [];

  constructor(rows: number, columns: number, values: Float64Array = new Float64Array(rows * columns)) {
    this.rows = rows;
    this.columns = columns;
    this.values = values;
  }

  /** A copy of elements in row-major order. */
  static from(values: TypedArray | undefined, rows: number, columns: number): Matrix {
    return new Matrix(rows, columns, Float64Array.from(values as TypedArray));
  }

  static identity(n: number, columns: number = n): Matrix {
    const result = new Matrix(n, columns);
    for (let i = 0; i < Math.min(n, columns); i++) result.set(i, i, 1);
    return result;
  }

  get(i: number, j: number): number {
    return this.values[i * this.columns + j] as number;
  }

  set(i: number, j: number, value: number): void {
    this.values[i * this.columns + j] = value;
  }

  /** A view of one row. */
  row(i: number): Float64Array {
    this.#rows[i] ??= this.values.subarray(i * this.columns, (i + 1) * this.columns);
    return this.#rows[i];
  }

  transposed(): Matrix {
    const result = new Matrix(this.columns, this.rows);
    for (let i = 0; i < this.rows; i++)
      for (let j = 0; j < this.columns; j++) result.set(j, i, this.get(i, j));
    return result;
  }

  times(other: Matrix): Matrix {
    const result = new Matrix(this.rows, other.columns);
    for (let i = 0; i < this.rows; i++)
      for (let k = 0; k < this.columns; k++) addMultiple(result.row(i), this.get(i, k), other.row(k));
    return result;
  }

  scaled(by: number): Matrix {
    return new Matrix(
      this.rows,
      this.columns,
      this.values.map((x) => x * by),
    );
  }

  plus(other: Matrix, times: number = 1): Matrix {
    const result = new Matrix(this.rows, this.columns, this.values.slice());
    addMultiple(result.values, times, other.values);
    return result;
  }

  swapRows(i: number, j: number): void {
    if (i === j) return;
    const [a, b] = [this.row(i), this.row(j)];
    const kept = a.slice();
    a.set(b);
    b.set(kept);
  }

  isFinite(): boolean {
    return this.values.every(Number.isFinite);
  }
}

/** y += a x */
export function addMultiple(y: Float64Array, a: number, x: Float64Array): void {
  for (let i = 0; i < y.length; i++) y[i] = (y[i] as number) + a * (x[i] as number);
}

/** x · y */
export function inner(x: Float64Array, y: Float64Array): number {
  let total = 0;
  for (let i = 0; i < x.length; i++) total += (x[i] as number) * (y[i] as number);
  return total;
}

/** The Euclidean length, without overflow or underflow of squares. */
export function lengthOf(x: Float64Array): number {
  let greatest = 0;
  for (const v of x) if (!(Math.abs(v) <= greatest)) greatest = Math.abs(v);
  if (greatest === 0 || !Number.isFinite(greatest)) return greatest;
  let total = 0;
  for (const v of x) total += (v / greatest) ** 2;
  return greatest * Math.sqrt(total);
}

/** (x, y) <- (c x - s y, s x + c y) */
export function rotate(x: Float64Array, y: Float64Array, c: number, s: number): void {
  for (let i = 0; i < x.length; i++) {
    const [a, b] = [x[i] as number, y[i] as number];
    x[i] = c * a - s * b;
    y[i] = s * a + c * b;
  }
}

/** Turns a vector so that its greatest element is positive: of x and -x, always the same is chosen. Whether it turned. */
export function pointUp(x: Float64Array): boolean {
  let greatest = 0;
  // Elements that are equal but for rounding must not decide by their rounding.
  for (const v of x) if (Math.abs(v) > Math.abs(greatest) * (1 + 1e-6)) greatest = v;
  if (!(greatest < 0)) return false;
  for (let i = 0; i < x.length; i++) x[i] = -(x[i] as number);
  return true;
}
