import { type Expr, isFloat, type Kernel, nodesOf, sizeOf } from '@neumann/core/backend';

/** From this many points on, a kernel takes longer than it takes several threads to agree that they are done. */
export const DIVIDE_FROM: number = 2 ** 15;

/** A rough measure of the time that a kernel takes: points written, and some of those read. */
export function costOf({ axes, reduceAxes, reductions }: Kernel): number {
  const points = sizeOf(axes);
  return points + (reductions.length > 0 ? (points * sizeOf(reduceAxes)) / 8 : 0);
}

/** Float operations of a kernel, a multiply-add counted as two, as its loop nest would do them. */
export function flopsOf(kernel: Kernel): number {
  const { routine, axes, reduceAxes, reductions, outputs } = kernel;
  if (routine?.name === 'matmul') return 2 * routine.batch * routine.m * routine.n * routine.k;
  if (routine?.name === 'conv') {
    const { n, c, f, groups, kernel: window, y } = routine.conv;
    return 2 * n * sizeOf(y) * sizeOf(window) * (c / groups) * f;
  }
  const points = sizeOf(axes);
  const folded = reductions.length > 0 ? points * sizeOf(reduceAxes) : 0;
  const values = reductions.map(({ value }) => value);
  return folded * (reductions.length + operationsOf(values)) + points * operationsOf(outputs);
}

function operationsOf(roots: readonly Expr[]): number {
  return nodesOf(roots).filter(
    (node) =>
      isFloat(node.dtype) && (node.kind === 'unary' || node.kind === 'binary' || node.kind === 'select'),
  ).length;
}
