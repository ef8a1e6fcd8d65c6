import { type DType, dtypeInfo } from './dtype.ts';
import type { Shape } from './shape.ts';

/** What is known of a tensor without its values: shape and dtype. */
export interface Aval {
  readonly shape: Shape;
  readonly dtype: DType;
}

/**
 * A shape and a dtype where a tensor would stand: what `evalShape` takes in the place of data, and what it returns. A
 * leaf of trees.
 * @example new ShapeDtype([8, 3])   // f32[8,3]
 */
export class ShapeDtype implements Aval {
  readonly shape: Shape;
  readonly dtype: DType;

  constructor(shape: Shape, dtype: DType = 'float32') {
    this.shape = shape;
    this.dtype = dtype;
  }

  toString(): string {
    return showAval(this);
  }
}

/** `f32[8,32,32,3]`: how avals are written in messages and programs. */
export function showAval(aval: Aval): string {
  return `${dtypeInfo(aval.dtype).short}[${aval.shape.join(',')}]`;
}

/** Whether shapes and dtypes are equal. */
export function sameAval(a: Aval, b: Aval): boolean {
  return (
    a.dtype === b.dtype && a.shape.length === b.shape.length && a.shape.every((n, i) => n === b.shape[i])
  );
}
