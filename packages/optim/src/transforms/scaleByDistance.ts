import {
  add,
  astype,
  divide,
  maximum,
  multiply,
  sqrt,
  square,
  subtract,
  type Tensor,
  zeros,
} from '@neumann/core';
import { checkOptions, nonNegative, positive, type RulesOf } from '../options.ts';
import type { GradientTransformation, Scalar, TensorTree } from '../protocol.ts';
import {
  beside,
  copyOf,
  floatDType,
  globalNorm,
  leavesOf,
  scalarOf,
  sumOfSquares,
  zipTrees,
} from '../trees.ts';

/** Options of {@link scaleByDistanceOverGradients}. */
export interface ScaleByDistanceOptions {
  /** The first distance, as a multiple of `1 + ‖w₀‖`; 1e-6. */
  readonly repsRel?: Scalar;
  /** Added to the denominator's sum; 1e-8. */
  readonly eps?: Scalar;
}

/** State of {@link scaleByDistanceOverGradients}. */
export interface ScaleByDistanceState {
  /** The first parameters. */
  readonly initParams: TensorTree;
  /** The greatest distance from them so far. */
  readonly maxDistance: Tensor;
  /** The sum of squared gradient norms, weighted by the distance for DoWG. */
  readonly sum: Tensor;
}

export const distanceRules: RulesOf<ScaleByDistanceOptions> = { repsRel: positive, eps: nonNegative };

/**
 * Steps of the greatest distance so far, over the root of the sum of squared gradients: no learning rate (DoG; Ivgi, Hinder
 * and Carmon 2023, https://arxiv.org/abs/2302.12022):
 *
 *     r = max(r, ‖w - w₀‖),   G = G + ‖g‖²,   u = g r / √(G + eps)
 *
 * @example
 * const tx = chain(scaleByDistanceOverGradients(), scale(-1));
 */
export function scaleByDistanceOverGradients(
  options: ScaleByDistanceOptions = {},
): GradientTransformation<ScaleByDistanceState> {
  return scaleByDistance('scaleByDistanceOverGradients', options, (r) => [scalarOf(1, r.dtype), r]);
}

/**
 * {@link scaleByDistanceOverGradients} with gradients weighted by the distance (DoWG; Khaled, Mishchenko and Jin 2023,
 * https://arxiv.org/abs/2305.16284): `r = max(r, ‖w - w₀‖)`, `V = V + r² ‖g‖²`, `u = g r² / √(V + eps)`.
 *
 * @example
 * const tx = chain(scaleByDistanceOverWeightedGradients(), scale(-1));
 */
export function scaleByDistanceOverWeightedGradients(
  options: ScaleByDistanceOptions = {},
): GradientTransformation<ScaleByDistanceState> {
  return scaleByDistance('scaleByDistanceOverWeightedGradients', options, (r) => [square(r), square(r)]);
}

function scaleByDistance(
  op: string,
  options: ScaleByDistanceOptions,
  /** The weight of ‖g‖² in the sum, and the numerator, from the distance. */
  weigh: (r: Tensor) => readonly [weight: Tensor, numerator: Tensor],
): GradientTransformation<ScaleByDistanceState> {
  checkOptions(op, options, distanceRules);
  const { repsRel = 1e-6, eps = 1e-8 } = options;
  return {
    init: (params) => {
      const norm = globalNorm(params);
      return {
        initParams: copyOf(op, params),
        maxDistance: multiply(beside(norm, repsRel), add(1, norm)),
        sum: zeros([], norm.dtype),
      };
    },
    update: (updates, state, params) => {
      const moved = zipTrees(op, { 'the state': state.initParams }, { params }, (a, p) => subtract(p, a));
      const r = maximum(state.maxDistance, globalNorm(moved));
      const [weight, numerator] = weigh(r);
      const leaves = leavesOf(updates);
      const squares = astype(sumOfSquares(leaves, floatDType(leaves)), r.dtype);
      const total = add(state.sum, multiply(weight, squares));
      const factor = divide(numerator, sqrt(add(total, beside(total, eps))));
      const scaled = zipTrees(op, { updates }, {}, (u) => multiply(beside(u, factor), u));
      return [scaled, { initParams: state.initParams, maxDistance: r, sum: total }];
    },
  };
}
