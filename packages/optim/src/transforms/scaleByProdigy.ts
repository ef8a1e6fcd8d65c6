import {
  abs,
  add,
  astype,
  divide,
  equal,
  maximum,
  multiply,
  sqrt,
  square,
  subtract,
  sum,
  type Tensor,
  where,
  zeros,
} from '@neumann/core';
import { belowOne, checkOptions, flag, nonNegative, positive, type RulesOf, scheduled } from '../options.ts';
import type { GradientTransformation, Scalar, Schedule, TensorTree } from '../protocol.ts';
import {
  beside,
  copyOf,
  countFor,
  floatDType,
  leavesOf,
  scalarOf,
  stateLike,
  zerosOf,
  zipTrees,
} from '../trees.ts';
import { restOf } from './mixed.ts';
import { type MomentOptions, momentRules, type ScaleByAdamState } from './scaleByAdam.ts';
import { weightSum } from './weightSum.ts';

/** Options of {@link scaleByProdigy}. */
export interface ScaleByProdigyOptions extends MomentOptions {
  /** A factor of the step that is found, usually a schedule from 1; 1. */
  readonly learningRate?: Scalar | Schedule;
  /** Decay of the sums of the estimate; √b2. */
  readonly b3?: Scalar;
  /** The first estimate of the distance; 1e-6. */
  readonly estimLr0?: Scalar;
  /** A factor of estimates; 1. */
  readonly estimLrCoef?: Scalar;
  /** Whether the estimate's denominator leaves the warm-up of `learningRate` out; false. */
  readonly safeguardWarmup?: boolean;
}

/** State of {@link scaleByProdigy}. */
export interface ScaleByProdigyState extends ScaleByAdamState {
  /** The first parameters. */
  readonly initParams: TensorTree;
  /** d, the estimate of the distance to the solution. */
  readonly estimate: Tensor;
  /** The weighted sum of ⟨g, w₀ - w⟩. */
  readonly numerator: Tensor;
  /** The weighted sum of gradients. */
  readonly gradSum: TensorTree;
}

export const prodigyRules: RulesOf<ScaleByProdigyOptions> = {
  ...momentRules,
  learningRate: scheduled(nonNegative),
  b3: belowOne,
  estimLr0: positive,
  estimLrCoef: positive,
  safeguardWarmup: flag,
};

/**
 * Adam that estimates its learning rate from the distance to the solution (Prodigy; Mishchenko and Defazio 2024,
 * https://arxiv.org/abs/2306.06101). With Adam's decays, `ρ = d η √(1 - b2^t)/(1 - b1^t)` and the first estimate d₀,
 *
 *     m = b1 m + (1 - b1) d g,         v = b2 v + (1 - b2) d² g²
 *     r = b3 r + d/d₀ ρ ⟨g, w₀ - w⟩,   s = b3 s + d/d₀ ρ g
 *     u = ρ m / (√v + d eps),          d = max(d, r / ‖s‖₁)      (d for the next step)
 *
 * The updates contain the learning rate, but not the sign.
 *
 * @example
 * const tx = chain(scaleByProdigy(), scale(-1));
 */
export function scaleByProdigy(
  options: ScaleByProdigyOptions = {},
): GradientTransformation<ScaleByProdigyState> {
  const op = 'scaleByProdigy';
  checkOptions(op, options, prodigyRules);
  const { learningRate = 1, b1 = 0.9, b2 = 0.999, estimLr0 = 1e-6, estimLrCoef = 1 } = options;
  const {
    b3 = typeof b2 === 'number' ? Math.sqrt(b2) : sqrt(b2),
    eps = 1e-8,
    safeguardWarmup = false,
  } = options;
  return {
    init: (params) => {
      const dtype = floatDType(leavesOf(params));
      return {
        count: zeros([], 'int32'),
        mu: zerosOf(op, params),
        nu: zerosOf(op, params),
        initParams: copyOf(op, params),
        estimate: scalarOf(estimLr0, dtype),
        numerator: zeros([], dtype),
        gradSum: zerosOf(op, params),
      };
    },
    update: (updates, state, params) => {
      const count = add(state.count, 1);
      const d = state.estimate;
      const steps = astype(countFor(updates, count), d.dtype);
      const rate = typeof learningRate === 'function' ? learningRate(subtract(steps, 1)) : learningRate;
      const correction = divide(sqrt(weightSum(b2, steps)), weightSum(b1, steps));
      const rho = multiply(d, multiply(beside(d, rate), correction));
      const average = (decay: Scalar, tree: TensorTree, weight: Tensor, f: (u: Tensor) => Tensor) =>
        zipTrees(op, { 'the state': tree }, { updates }, (a, u) =>
          add(multiply(beside(a, decay), a), multiply(beside(a, weight), f(astype(u, a.dtype)))),
        );
      const mu = average(b1, state.mu, multiply(beside(d, restOf(b1)), d), (g) => g);
      const nu = average(b2, state.nu, multiply(beside(d, restOf(b2)), square(d)), square);
      const relative = divide(d, beside(d, estimLr0));
      const gradSum = average(b3, state.gradSum, multiply(relative, safeguardWarmup ? d : rho), (g) => g);
      const products = zipTrees(op, { updates }, { 'the state': state.initParams, params }, (g, w0, w) =>
        multiply(g, astype(subtract(w0, w), g.dtype)),
      );
      const total = (tree: unknown) =>
        leavesOf(tree).reduce((acc, x) => add(acc, astype(sum(x), d.dtype)), zeros([], d.dtype));
      const inner = multiply(multiply(relative, rho), total(products));
      const numerator = add(multiply(beside(d, b3), state.numerator), inner);
      const denominator = total(stateLike(op, gradSum, abs));
      const isZero = equal(denominator, 0);
      const found = multiply(beside(d, estimLrCoef), divide(numerator, where(isZero, 1, denominator)));
      const estimate = where(isZero, d, maximum(d, found));
      const small = multiply(d, beside(d, eps));
      const direction = zipTrees(op, { updates }, { mu, nu }, (u, m, n) =>
        astype(multiply(beside(m, rho), divide(m, add(sqrt(n), beside(n, small)))), u.dtype),
      );
      return [direction, { count, mu, nu, initParams: state.initParams, estimate, numerator, gradSum }];
    },
  };
}
