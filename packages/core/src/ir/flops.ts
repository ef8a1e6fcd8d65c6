import { isFloat } from '../dtype.ts';
import { sizeOf } from '../shape.ts';
import { loadsOf, nodesOf } from './expr.ts';
import type { Expr, Kernel } from './kernel.ts';

/** Floating-point operations of one run of a kernel: a multiplication and an addition are two, moving and index arithmetic none. */
export function flopsOf({ axes, reduceAxes, reductions, outputs }: Kernel): number {
  const terms = operations(reductions.map((r) => r.value)) + reductions.length;
  return sizeOf(axes) * ((reductions.length > 0 ? sizeOf(reduceAxes) * terms : 0) + operations(outputs));
}

const counted: ReadonlySet<Expr['kind']> = new Set(['unary', 'binary', 'select']);

function operations(roots: readonly Expr[]): number {
  const places = new Set(
    nodesOf(loadsOf(roots).flatMap(({ index, guard }) => (guard ? [...index, guard] : index))),
  );
  return nodesOf(roots).filter((node) => counted.has(node.kind) && isFloat(node.dtype) && !places.has(node))
    .length;
}
