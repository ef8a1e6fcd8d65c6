import { add, astype, equal, multiply, square, subtract, type Tensor, where, zeros } from '@neumann/core';
import { belowOne, checkOptions, type RulesOf } from '../options.ts';
import type { GradientTransformation, Scalar, TensorTree } from '../protocol.ts';
import { beside, countFor, zerosOf, zipTrees } from '../trees.ts';
import { mixed, overRoot } from './mixed.ts';
import { movingAverage } from './movingAverage.ts';
import { type MomentOptions, momentRules } from './scaleByAdam.ts';
import { debiased, weightSum } from './weightSum.ts';

/** Options of {@link scaleByAdan}. */
export interface ScaleByAdanOptions extends MomentOptions {
  /** Decay of the average of squares; 0.99. `b1` is 0.98, and `b2`, of the average of differences, 0.92. */
  readonly b3?: Scalar;
}

/** State of {@link scaleByAdan}. */
export interface ScaleByAdanState {
  /** `i32[]`, updates made. */
  readonly count: Tensor;
  /** Moving average of gradients. */
  readonly mu: TensorTree;
  /** Moving average of differences between successive gradients. */
  readonly delta: TensorTree;
  /** Moving average of squared gradients, each taken one step ahead. */
  readonly nu: TensorTree;
  /** The last gradient. */
  readonly previous: TensorTree;
}

export const adanRules: RulesOf<ScaleByAdanOptions> = { ...momentRules, b3: belowOne };

/**
 * Adam with Nesterov momentum through differences of gradients (Adan; Xie et al. 2022, https://arxiv.org/abs/2208.06677):
 * with `Δ = g - g_previous`, 0 in the first step, and decays written as in Adam,
 *
 *     m = b1 m + (1 - b1) g,   d = b2 d + (1 - b2) Δ,   n = b3 n + (1 - b3) (g + b2 Δ)²
 *     u = (m̂ + b2 d̂) / (√(n̂ + epsRoot) + eps)
 *
 * where hats correct for starting at zero.
 *
 * @example
 * const tx = chain(scaleByAdan(), scaleByLearningRate(1e-3));
 */
export function scaleByAdan(options: ScaleByAdanOptions = {}): GradientTransformation<ScaleByAdanState> {
  const op = 'scaleByAdan';
  checkOptions(op, options, adanRules);
  const { b1 = 0.98, b2 = 0.92, b3 = 0.99 } = options;
  return {
    init: (params) => ({
      count: zeros([], 'int32'),
      mu: zerosOf(op, params),
      delta: zerosOf(op, params),
      nu: zerosOf(op, params),
      previous: zerosOf(op, params),
    }),
    update: (updates, state) => {
      const count = add(state.count, 1);
      const isFirst = equal(state.count, 0);
      const change = zipTrees(op, { 'the state': state.previous }, { updates }, (before, u) =>
        where(isFirst, 0, subtract(astype(u, before.dtype), before)),
      );
      const ahead = zipTrees(op, { change }, { updates }, (d, u) =>
        add(astype(u, d.dtype), multiply(beside(d, b2), d)),
      );
      const mu = movingAverage(op, state.mu, updates, b1);
      const delta = movingAverage(op, state.delta, change, b2);
      const nu = zipTrees(op, { nu: state.nu }, { ahead }, (n, x) => mixed(b3, n, square(x)));
      const steps = countFor(updates, count);
      const weights = [weightSum(b1, steps), weightSum(b2, steps), weightSum(b3, steps)] as const;
      const direction = zipTrees(op, { updates }, { mu, delta, nu }, (u, m, d, n) => {
        const [mHat, dHat] = [debiased(m, weights[0]), debiased(d, weights[1])];
        const first = add(mHat, multiply(beside(m, b2), dHat));
        return astype(overRoot(first, debiased(n, weights[2]), options), u.dtype);
      });
      const previous = zipTrees(op, { previous: state.previous }, { updates }, (p, u) => astype(u, p.dtype));
      return [direction, { count, mu, delta, nu, previous }];
    },
  };
}
