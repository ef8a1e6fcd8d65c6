import {
  type Expr,
  type HostRoutine,
  isFloat,
  type Kernel,
  nodesOf,
  type Plan,
  runningFoldOf,
  sizeOf,
} from '@neumann/core/backend';

/** From this many points on, a kernel takes longer than it takes several threads to agree that they are done. */
export const DIVIDE_FROM: number = 2 ** 15;

/** From which sizes on kernels are treated as large. */
export interface Limits {
  /** Plans without loops whose {@link costOf} is less in all are run by the first thread alone. */
  readonly wakeFrom: number;
  /** Kernels whose {@link costOf} is less are run by the first thread alone. */
  readonly divideFrom: number;
  /** Steps run together row by row from so many rows, points in a row, and bytes on: see `RowGroup`. */
  readonly rows: number;
  readonly rowPoints: number;
  readonly groupBytes: number;
}

/** It takes about as long to wake a thread that sleeps: some 100 µs. */
const WAKE_FROM = 2 ** 19;

/** Fewer rows leave threads without work, shorter ones take longer to begin than they save, fewer bytes are in the cache anyway. */
export const usualLimits: Limits = {
  wakeFrom: WAKE_FROM,
  divideFrom: DIVIDE_FROM,
  rows: 32,
  rowPoints: 64,
  groupBytes: 2 ** 17,
};

/** Everything is large: for tests. */
export const noLimits: Limits = { wakeFrom: 0, divideFrom: 0, rows: 2, rowPoints: 1, groupBytes: 0 };

/** A rough measure of the time that a kernel takes: points written, and some of those read. */
export function costOf({ axes, reduceAxes, reductions }: Kernel): number {
  const points = sizeOf(axes);
  return points + (reductions.length > 0 ? (points * sizeOf(reduceAxes)) / 8 : 0);
}

/** Whether there is so much work in a plan that it is worth to wake other threads for it. */
export function isWorthWaking({ steps }: Plan, { wakeFrom }: Limits): boolean {
  const hasLoops = steps.some((step) => step.kind !== 'kernel' && step.kind !== 'host');
  const costs = steps.map((step) =>
    step.kind === 'kernel' ? costOf(step.kernel) : step.kind === 'host' ? foldCost(step.host) : 0,
  );
  return hasLoops || costs.reduce((sum, cost) => sum + cost, 0) >= wakeFrom;
}

/** The {@link costOf} of a running fold; the first thread runs all other host routines alone. */
export function foldCost(host: HostRoutine): number {
  const fold = runningFoldOf(host);
  return fold ? fold.outer * fold.n * fold.inner : 0;
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
