import { add, astype, multiply, zerosLike } from '@neumann/core';
import { checkOptions, finite, flag, required } from '../options.ts';
import type { GradientTransformation, Scalar, TensorTree } from '../protocol.ts';
import { beside, stateLike, zipTrees } from '../trees.ts';

export interface TraceState {
  /** The decaying sum of past updates, in the form of the parameters. */
  readonly trace: TensorTree;
}

/**
 * Momentum: `trace = u + decay * trace`, and the update is `trace`, or `u + decay * trace` again with `nesterov`.
 *
 * @example
 * chain(scaleByLearningRate(0.1), trace({ decay: 0.9, nesterov: true }))
 */
export function trace(options: {
  readonly decay: Scalar;
  readonly nesterov?: boolean;
}): GradientTransformation<TraceState> {
  checkOptions('trace', options, { decay: required(finite), nesterov: flag });
  const { decay, nesterov = false } = options;
  return {
    init: (params) => ({ trace: stateLike(params, zerosLike) }),
    update: (updates, state) => {
      const next = zipTrees('trace', { trace: state.trace }, { updates }, (t, u) =>
        astype(add(u, multiply(beside(t, decay), t)), t.dtype),
      );
      const result = zipTrees('trace', { updates }, { trace: next }, (u, t) =>
        astype(nesterov ? add(u, multiply(beside(t, decay), t)) : t, u.dtype),
      );
      return [result, { trace: next }];
    },
  };
}
