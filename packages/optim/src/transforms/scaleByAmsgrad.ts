import { add, astype, maximum, square, type Tensor, zeros } from '@neumann/core';
import { checkOptions } from '../options.ts';
import type { GradientTransformation, TensorTree } from '../protocol.ts';
import { countFor, zerosOf, zipTrees } from '../trees.ts';
import { overRoot } from './mixed.ts';
import { movingAverage } from './movingAverage.ts';
import { type MomentOptions, momentRules, type ScaleByAdamState } from './scaleByAdam.ts';
import { debiased, weightSum } from './weightSum.ts';

/** State of {@link scaleByAmsgrad}. */
export interface ScaleByAmsgradState extends ScaleByAdamState {
  /** The greatest corrected average of squares so far. */
  readonly nuMax: TensorTree;
}

/**
 * Adam with a denominator that never shrinks (Reddi, Kale and Kumar 2018, https://arxiv.org/abs/1904.09237):
 * `V = max(V, v/(1 - b2^t))`, `u = m/(1 - b1^t) / (√(V + epsRoot) + eps)`, where m and v are Adam's averages. (PyTorch takes
 * the maximum before the correction.)
 *
 * @example
 * const tx = chain(scaleByAmsgrad(), scaleByLearningRate(1e-3));
 */
export function scaleByAmsgrad(options: MomentOptions = {}): GradientTransformation<ScaleByAmsgradState> {
  const op = 'scaleByAmsgrad';
  checkOptions(op, options, momentRules);
  const { b1 = 0.9, b2 = 0.999 } = options;
  return {
    init: (params) => ({
      count: zeros([], 'int32'),
      mu: zerosOf(op, params),
      nu: zerosOf(op, params),
      nuMax: zerosOf(op, params),
    }),
    update: (updates, state) => {
      const count = add(state.count, 1);
      const mu = movingAverage(op, state.mu, updates, b1);
      const nu = movingAverage(op, state.nu, updates, b2, square);
      const steps = countFor(updates, count);
      const [weightMu, weightNu] = [weightSum(b1, steps), weightSum(b2, steps)];
      const nuMax = zipTrees(op, { nuMax: state.nuMax }, { nu }, (most: Tensor, n: Tensor) =>
        maximum(most, debiased(n, weightNu)),
      );
      const direction = zipTrees(op, { updates }, { mu, nuMax }, (u, m, n) =>
        astype(overRoot(debiased(m, weightMu), n, options), u.dtype),
      );
      return [direction, { count, mu, nu, nuMax }];
    },
  };
}
