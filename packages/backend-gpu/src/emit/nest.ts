/** Kernels as the emitter takes them: folds may be of any form. */
import { acc, type Expr, type Kernel, nodesOf, type Reduction } from '@neumann/core/backend';

/** A fold that is told by the next value of its accumulator, in which `running` stands for the values before. */
export interface Recurrence {
  readonly op: 'next';
  readonly value: Expr;
  readonly start: number;
  /** The accumulator is never negative, and never greater. */
  readonly most: number;
}

export interface Nest extends Omit<Kernel, 'reductions'> {
  readonly reductions: readonly (Reduction | Recurrence)[];
}

/** Inside of a recurrence, the value of accumulator `index` so far. */
export const running = (index: number): Expr => acc('int32', -1 - index);

/** The accumulator that an `acc` is about, and whether it is its running value. */
export const accumulatorOf = (index: number): { readonly index: number; readonly isRunning: boolean } =>
  index < 0 ? { index: -1 - index, isRunning: true } : { index, isRunning: false };

/** The folds that an expression reads, and those that they read. */
export function foldsOf(root: Expr, { reductions }: Pick<Nest, 'reductions'>): number[] {
  const found = new Set<number>();
  const visit = (x: Expr): void => {
    for (const node of nodesOf([x])) {
      if (node.kind !== 'acc') continue;
      const { index } = accumulatorOf(node.index);
      if (found.has(index)) continue;
      found.add(index);
      visit((reductions[index] as Reduction | Recurrence).value);
    }
  };
  visit(root);
  return [...found];
}
