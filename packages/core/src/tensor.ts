import ndarray, { type NdArray } from 'ndarray';
import { type Aval, showAval } from './aval.ts';
import type { DType, TypedArray } from './dtype.ts';
import { ShapeError } from './errors.ts';
import { type Shape, sizeOf } from './shape.ts';

/** Nested arrays of numbers, or booleans for `bool`. */
export type Nested = number | boolean | Nested[];

/**
 * An immutable n-dimensional array: a value now, or, inside a transformed function, one that is being traced.
 *
 * Operations are functions (`add(x, y)`); none changes or consumes a tensor, and nobody frees one.
 */
export abstract class Tensor {
  /** Shape and dtype together; prints as `f32[2,3]`. */
  abstract readonly aval: Aval;

  get shape(): Shape {
    return this.aval.shape;
  }

  get dtype(): DType {
    return this.aval.dtype;
  }

  /** Number of axes. */
  get ndim(): number {
    return this.aval.shape.length;
  }

  /** Number of elements. */
  get size(): number {
    return sizeOf(this.aval.shape);
  }

  /** The elements in row-major order, in new host memory. */
  abstract data(): Promise<TypedArray>;

  /**
   * The elements in row-major order, without waiting.
   * @throws {TracerError} inside a transformed function, where there are no values yet.
   * @throws {BackendError} where the backend can only be read asynchronously.
   */
  abstract dataSync(): TypedArray;

  /** The value of a tensor with exactly one element, as a number (`bool`: 0 or 1). */
  item(): number {
    if (this.size !== 1)
      throw new ShapeError(`item: needs a tensor with one element, but this is ${showAval(this.aval)}.`);
    return this.dataSync()[0] as number;
  }

  /** The elements as nested JavaScript arrays; a scalar gives a number, `bool` gives booleans. */
  toArray(): Nested {
    const values = this.dataSync();
    const { shape, dtype } = this.aval;
    let next = 0;
    const build = (axis: number): Nested => {
      if (axis < shape.length) return Array.from({ length: shape[axis] as number }, () => build(axis + 1));
      const value = values[next++] as number;
      return dtype === 'bool' ? value !== 0 : value;
    };
    return build(0);
  }

  /** The elements as an `ndarray` (npm), in new host memory. */
  ndarray(): NdArray<TypedArray> {
    return ndarray(this.dataSync(), [...this.shape]);
  }

  /** `f32[2,3] [[1, 2, 3], [4, 5, 6]]`; long axes are cut. Of values that the backend cannot give at once, the reason instead. */
  abstract toString(): string;

  /** Scalars compare and compute as numbers (`loss < 0.1`); other tensors refuse. */
  [Symbol.toPrimitive](hint: 'string' | 'number' | 'default'): string | number {
    if (hint === 'string') return this.toString();
    if (this.ndim !== 0)
      throw new ShapeError(
        `tensor: ${showAval(this.aval)} cannot become a number; use add(), less(), … instead of operators, ` +
          `or read it with toArray().`,
      );
    return this.item();
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}
