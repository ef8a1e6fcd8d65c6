import {
  add,
  astype,
  cond,
  isFinite as isFiniteNumber,
  multiply,
  type Tensor,
  type Tensors,
  valueAndGrad,
} from '@neumann/core';
import { functionOf, lossOf } from '../extra.ts';
import type { ExtraArgs, TensorTree } from '../protocol.ts';
import { vdot } from '../tree/arithmetic.ts';
import { get } from '../tree/lookup.ts';
import { beside, floatDType, leavesOf, zipTrees } from '../trees.ts';

/** State of the line searches. */
export interface LinesearchState {
  /** The last step, as a multiple of the updates. */
  readonly learningRate: Tensor;
  /** The loss after that step; infinity before the first. */
  readonly value: Tensor;
  /** The gradient there; `null` if it is not kept. */
  readonly grad: TensorTree | null;
  /** `i32[]`, how many points the last search looked at. */
  readonly steps: Tensor;
}

/** A loss along a ray: what line searches need to know. */
export interface Ray {
  readonly dtype: 'float32' | 'float64';
  /** The loss at the start. */
  readonly value: Tensor;
  /** The derivative of the loss along the ray, at the start. */
  readonly slope: Tensor;
  /** The loss as a function of parameters. */
  readonly valueFn: (params: unknown) => Tensor;
  /** `params + t updates` */
  at(t: Tensor): unknown;
}

/** The ray from `params` in the direction of `updates`. */
export function rayOf(op: string, params: unknown, updates: unknown, extra: ExtraArgs | undefined): Ray {
  const dtype = floatDType(leavesOf(params));
  const value = astype(lossOf(op, extra), dtype);
  const valueFn = functionOf<(p: unknown) => Tensor>(op, extra, 'valueFn');
  const direction = zipTrees(op, { params }, { updates }, (p, u) => beside(p, u));
  const gradient = zipTrees(op, { params }, { 'extra.grad': extra?.['grad'] ?? null }, (p, g) =>
    beside(p, g),
  );
  return {
    dtype,
    value,
    slope: astype(vdot(direction, gradient), dtype),
    valueFn: (p) => astype(valueFn(p), dtype),
    at: (t) =>
      zipTrees(op, { params }, { direction }, (p, d) => add(p, astype(multiply(beside(d, t), d), p.dtype))),
  };
}

/**
 * The loss and its gradient, from the state of a line search that has already computed them at these parameters, and
 * otherwise by `valueAndGrad(valueFn)`.
 *
 * @param valueFn The loss as a function of parameters.
 * @returns A function of parameters and state to `[value, grad]`.
 * @example
 * const f = (w: Tensor) => sum(square(w));
 * const tx = lbfgs();
 * const w = tensor([3, 4]);
 * const [value, g] = valueAndGradFromState(f)(w, tx.init(w));
 * value   // 25
 */
export function valueAndGradFromState<P>(
  valueFn: (params: P) => Tensor,
): (params: P, state: unknown) => [value: Tensor, grad: Tensors<P>] {
  return (params, state) => {
    const [known, gradient] = [get(state, 'value') as Tensor, get(state, 'grad')];
    const compute = (p: P) => {
      const [value, g] = valueAndGrad(valueFn as never)(p) as unknown as [Tensor, Tensors<P>];
      return [astype(value, known.dtype), g] as [Tensor, Tensors<P>];
    };
    if (gradient === null) return compute(params);
    const stored = () => [known, gradient] as [Tensor, Tensors<P>];
    return cond(isFiniteNumber(known), stored as never, compute as never, params) as unknown as [
      Tensor,
      Tensors<P>,
    ];
  };
}
