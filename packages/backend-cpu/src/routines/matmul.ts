import type { Kernel, Routine } from '@neumann/core/backend';
import type { StepCode } from '../emit/part.ts';
import type { EmitContext } from '../emit/plan.ts';
import { blocks } from './blocks.ts';
import { combinations } from './combinations.ts';
import { dots } from './dots.ts';
import { type Element, elementOf } from './element.ts';

export type Matmul = Extract<Routine, { name: 'matmul' }>;

/** A matrix product, except where a loop nest is as good. */
export function matmul(context: EmitContext, kernel: Kernel, routine: Matmul): StepCode | undefined {
  const element = elementOf(kernel.inputs[0]?.dtype);
  const { m, n, k, transposeY } = routine;
  if (!element || m === 0 || n === 0 || k === 0) return undefined;
  if (n < 2 || (m < 4 && transposeY)) return fewOf(context, element, routine);
  return matmulOf(context, element, routine);
}

/** The product of operands of one element type; `m`, `n`, `k` are positive. */
export function matmulOf(context: EmitContext, element: Element, routine: Matmul): StepCode {
  return fewOf(context, element, routine) ?? blocks(context, element, routine);
}

/** A product with few rows or columns, if there is a better way for it than tiles. */
function fewOf(context: EmitContext, element: Element, routine: Matmul): StepCode | undefined {
  return dots(context, element, routine) ?? combinations(context, element, routine);
}
