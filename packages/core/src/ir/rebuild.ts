/** What rewriting kernels has in common: operands numbered anew, limits, names. */
import type { Aval } from '../aval.ts';
import { sameShape } from '../shape.ts';
import { constant, nodesOf, select } from './expr.ts';
import type { Expr, Kernel } from './kernel.ts';
import type { Launch } from './launch.ts';
import type { Var } from './program.ts';
import { shareEqual } from './share.ts';

/** Limits of one kernel: operands and results together, and scalar operations at a point. */
export const maxBuffers = 28;
export const maxNodes = 600;

export type Load = Extract<Expr, { kind: 'load' }>;

export const isRoutine = (launch: Launch): boolean =>
  launch.kind !== 'kernel' || launch.kernel.routine !== undefined;

/** Distinct (value, view) pairs, numbered. */
export class Operands {
  readonly values: Var[] = [];
  readonly views: Aval[] = [];

  add(value: Var, view: Aval): number {
    const known = this.values.findIndex(
      (v, i) => v === value && sameShape((this.views[i] as Aval).shape, view.shape),
    );
    return known >= 0 ? known : this.append(value, view);
  }

  append(value: Var, view: Aval): number {
    this.views.push(view);
    return this.values.push(value) - 1;
  }
}

export const rootsOf = (kernel: Kernel): Expr[] => [
  ...kernel.reductions.map((r) => r.value),
  ...kernel.outputs,
];

export const nodeCount = (kernel: Kernel): number => nodesOf(rootsOf(kernel)).length;

/** What a load gives when the element that it read is computed in its place. */
export const guarded = (load: Load, value: Expr): Expr =>
  load.guard ? select(load.guard, value, constant(value.dtype, 0)) : value;

export function accDtype(kernel: Kernel, index: number): Expr['dtype'] {
  const reduction = kernel.reductions[index];
  if (!reduction || reduction.op === 'argmax' || reduction.op === 'argmin') return 'int32';
  return reduction.value.dtype;
}

/** Equal subexpressions become one node. */
export function tidy(kernel: Kernel): Kernel {
  const shared = shareEqual(rootsOf(kernel));
  const count = kernel.reductions.length;
  return {
    ...kernel,
    reductions: kernel.reductions.map((r, i) => ({ ...r, value: shared[i] as Expr })),
    outputs: shared.slice(count),
  };
}

export const joinNames = (names: readonly string[]): string => {
  const parts = [...new Set(names.flatMap((name) => name.split('+')))];
  return parts.length <= 6 ? parts.join('+') : `${parts.slice(0, 5).join('+')}+…`;
};
