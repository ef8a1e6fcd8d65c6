import { sameShape } from '../shape.ts';
import { loadsOf } from './expr.ts';
import type { Expr, Kernel } from './kernel.ts';

/**
 * Whether the kernel reads input `input` only at the very point that it writes: the input has the shape of the output
 * and every index is the point's own coordinates. Only then may an output take the input's place. Routines are free to
 * write results before their epilogue reads its inputs.
 */
export function readsPointwise(kernel: Kernel, input: number): boolean {
  if (kernel.routine) return false;
  if (!sameShape(kernel.inputs[input]?.shape ?? [], kernel.axes)) return false;
  return loadsOf([...kernel.reductions.map((r) => r.value), ...kernel.outputs])
    .filter((load) => load.input === input)
    .every((load) => load.index.every((x, axis) => isCoordinate(x, axis, kernel.axes[axis])));
}

/** `coord(axis)`, or 0 where the axis has one point. */
function isCoordinate(x: Expr, axis: number, extent: number | undefined): boolean {
  return x.kind === 'coord' ? x.axis === axis : extent === 1 && x.kind === 'const' && x.value === 0;
}
