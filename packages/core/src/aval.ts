import { type DType, dtypeInfo } from './dtype.ts';
import type { Shape } from './shape.ts';

/** What is known of a tensor without its values: shape and dtype. */
export interface Aval {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** `f32[8,32,32,3]`: how avals are written in messages and programs. */
export function showAval(aval: Aval): string {
  return `${dtypeInfo(aval.dtype).short}[${aval.shape.join(',')}]`;
}

export function sameAval(a: Aval, b: Aval): boolean {
  return a.dtype === b.dtype && a.shape.length === b.shape.length && a.shape.every((n, i) => n === b.shape[i]);
}
