import {
  abs,
  add,
  arange,
  astype,
  divide,
  equal,
  maximum,
  multiply,
  power,
  sqrt,
  square,
  subtract,
  sum,
  type Tensor,
  where,
  zeros,
} from '@neumann/core';
import { checkOptions, checkState, knownInteger, nonNegative, positive } from '../options.ts';
import type { GradientTransformation, Scalar, TensorTree } from '../protocol.ts';
import { beside, copyOf, floatDType, globalNorm, leavesOf, zerosOf, zipTrees } from '../trees.ts';

/** Options of {@link mechanize}. */
export interface MechanizeOptions {
  /** λ of the regulariser ‖g‖ w/‖w‖; 0.01. */
  readonly weightDecay?: Scalar;
  /** Added to the denominator; 1e-8. */
  readonly eps?: Scalar;
  /** The first scale; 1e-6. */
  readonly sInit?: Scalar;
  /** n: the decays are 1 - 10⁻¹, …, 1 - 10⁻ⁿ; 6. */
  readonly numBetas?: number;
}

/** State of {@link mechanize}. */
export interface MechanizeState<S> {
  /** The first parameters. */
  readonly initParams: TensorTree;
  /** Δ, the sum of the optimizer's updates. */
  readonly delta: TensorTree;
  /** Reward, greatest gradient, sum of squared gradients and scale for each decay: `[n]`. */
  readonly reward: Tensor;
  readonly greatest: Tensor;
  readonly squares: Tensor;
  readonly scales: Tensor;
  readonly innerState: S;
}

/**
 * Tunes the learning rate of any optimizer, which may be set to 1 (Mechanic; Cutkosky, Defazio and Mehta 2023,
 * https://arxiv.org/abs/2306.00144): parameters are `w₀ + (Σ s) Δ` with the sum Δ of the optimizer's updates, and scales s
 * from a one-dimensional online learner for each decay β:
 *
 *     h = ⟨Δ, g + λ ‖g‖ w/‖w‖⟩,   m = max(β m, |h|),   v = β² v + h²,   r = max(0, β r - s h)
 *     s = (sInit m/n + r) / (√v + eps)
 *
 * @throws {OptionError} for options that are unknown or out of range.
 * @example
 * const tx = mechanize(sgd({ learningRate: 1 }));
 */
export function mechanize<S>(
  inner: GradientTransformation<S>,
  options: MechanizeOptions = {},
): GradientTransformation<MechanizeState<S>> {
  const op = 'mechanize';
  checkOptions(op, options, {
    weightDecay: nonNegative,
    eps: nonNegative,
    sInit: positive,
    numBetas: knownInteger(1),
  });
  const { weightDecay = 0.01, eps = 1e-8, sInit = 1e-6, numBetas = 6 } = options;
  return {
    init: (params) => {
      const dtype = floatDType(leavesOf(params));
      const none = () => zeros([numBetas], dtype);
      return {
        initParams: copyOf(op, params),
        delta: zerosOf(op, params),
        reward: none(),
        greatest: none(),
        squares: none(),
        scales: none(),
        innerState: inner.init(params),
      };
    },
    update: (updates, state, params, extra) => {
      checkState(op, state, ['initParams', 'delta', 'scales', 'innerState']);
      const [steps, innerState] = inner.update(updates, state.innerState, params, extra);
      const { scales, initParams } = state;
      const betas = subtract(1, power(0.1, add(arange(0, numBetas, 1, scales.dtype), 1)));
      const h = slope(updates, state.delta, params, scales);
      const greatest = maximum(multiply(betas, state.greatest), abs(h));
      const squares = add(multiply(square(betas), state.squares), square(h));
      const reward = maximum(0, subtract(multiply(betas, state.reward), multiply(scales, h)));
      const wealth = add(multiply(divide(beside(h, sInit), numBetas), greatest), reward);
      const denominator = add(sqrt(squares), beside(h, eps));
      const next = where(
        equal(denominator, 0),
        0,
        divide(wealth, where(equal(denominator, 0), 1, denominator)),
      );
      const total = sum(next);
      const delta = zipTrees(op, { 'the state': state.delta }, { steps }, (d, u) =>
        add(d, astype(u, d.dtype)),
      );
      const result = zipTrees(op, { updates }, { params, initParams, delta }, (u, p, w0, d) => {
        const goal = add(w0, multiply(beside(d, total), d));
        return astype(subtract(goal, astype(p, goal.dtype)), u.dtype);
      });
      return [result, { initParams, delta, reward, greatest, squares, scales: next, innerState }];
    },
  };

  /** ⟨Δ, g + λ ‖g‖ w/‖w‖⟩ */
  function slope(updates: unknown, delta: TensorTree, params: unknown, like: Tensor): Tensor {
    const [gNorm, wNorm] = [globalNorm(updates), globalNorm(params)];
    const isZero = equal(wNorm, 0);
    const pull = where(
      isZero,
      0,
      divide(multiply(beside(gNorm, weightDecay), gNorm), where(isZero, 1, wNorm)),
    );
    const products = zipTrees(op, { delta }, { updates, params }, (d, g, w) =>
      multiply(d, add(astype(g, d.dtype), multiply(beside(d, pull), astype(w, d.dtype)))),
    );
    return leavesOf(products).reduce((acc, x) => add(acc, astype(sum(x), like.dtype)), zeros([], like.dtype));
  }
}
