import {
  add,
  astype,
  max,
  minimum,
  multiply,
  reshape,
  square,
  type Tensor,
  treeFlatten,
  treeUnflatten,
  zeros,
} from '@neumann/core';
import { belowOne, checkOptions, fraction, nonNegative, type RulesOf } from '../options.ts';
import type { GradientTransformation, Scalar, TensorTree } from '../protocol.ts';
import { beside, checkFloats, leavesOf, sameForm, zerosOf, zipTrees } from '../trees.ts';
import { restOf } from './mixed.ts';
import { movingAverage } from './movingAverage.ts';
import { safeRsqrt } from './scaleByRss.ts';

/** Options of {@link scaleBySm3}. */
export interface ScaleBySm3Options {
  /** Decay of the average of scaled gradients; 0.9. */
  readonly b1?: Scalar;
  /** Decay of the sums of squares; 1, none. */
  readonly b2?: Scalar;
  /** Added under the root; 1e-8. */
  readonly eps?: Scalar;
}

/** State of {@link scaleBySm3}. */
export interface ScaleBySm3State {
  /** For each tensor, an array of one vector for each of its axes. */
  readonly accumulators: TensorTree;
  /** Moving average of scaled gradients. */
  readonly momentum: TensorTree;
}

export const sm3Rules: RulesOf<ScaleBySm3Options> = { b1: belowOne, b2: fraction, eps: nonNegative };

/**
 * Adagrad with a vector for each axis in place of a sum for each element (SM3-II; Anil et al. 2019,
 * https://arxiv.org/abs/1901.11150): for an element with coordinates i in the axes,
 *
 *     s = minᵢ vᵢ + g²,   vᵢ = the greatest s with this coordinate,   m = b1 m + (1 - b1) g/√(s + eps),   u = m
 *
 * With `b2` below 1, sums are averages: `s = b2 minᵢ vᵢ + (1 - b2) g²`.
 *
 * @example
 * const tx = chain(scaleBySm3(), scaleByLearningRate(0.1));
 */
export function scaleBySm3(options: ScaleBySm3Options = {}): GradientTransformation<ScaleBySm3State> {
  const op = 'scaleBySm3';
  checkOptions(op, options, sm3Rules);
  const { b1 = 0.9, b2 = 1, eps = 1e-8 } = options;
  return {
    init: (params) => {
      checkFloats(op, params);
      const { structure } = treeFlatten(params);
      const vectors = leavesOf(params).map((x) =>
        x.ndim === 0 ? [zeros([], x.dtype)] : x.shape.map((n) => zeros([n], x.dtype)),
      );
      return { accumulators: treeUnflatten(structure, vectors), momentum: zerosOf(op, params) };
    },
    update: (updates, state) => {
      const { structure } = treeFlatten(state.momentum);
      const grads = sameForm(op, 'the state', state.momentum, 'updates', updates);
      const vectors = takeApart(treeFlatten(state.accumulators).leaves as Tensor[], grads);
      const sums = grads.map((g, i) => {
        const least = (vectors[i] as Tensor[]).map((v, axis) => along(v, axis, g.ndim)).reduce(minimum);
        const squared = square(astype(g, least.dtype));
        if (b2 === 1) return add(least, squared);
        return add(multiply(beside(least, b2), least), multiply(beside(least, restOf(b2)), squared));
      });
      const scaled = grads.map((g, i) => multiply(g, astype(safeRsqrt(sums[i] as Tensor, eps), g.dtype)));
      const momentum = movingAverage(op, state.momentum, treeUnflatten(structure, scaled), b1);
      const result = zipTrees(op, { updates }, { momentum }, (u, m) => astype(m, u.dtype));
      return [result, { accumulators: treeUnflatten(structure, sums.map(greatest)), momentum }];
    },
  };
}

/** A vector along an axis, to broadcast: `[1, …, n, …, 1]`. */
function along(v: Tensor, axis: number, ndim: number): Tensor {
  if (ndim === 0) return v;
  return reshape(
    v,
    Array.from({ length: ndim }, (_, i) => (i === axis ? v.size : 1)),
  );
}

/** The greatest element for each coordinate, axis by axis. */
function greatest(s: Tensor): Tensor[] {
  if (s.ndim < 2) return [s];
  const axes = s.shape.map((_, i) => i);
  return axes.map((axis) => max(s, { axis: axes.filter((i) => i !== axis) }));
}

/** The vectors of each tensor: as many as it has axes, and one for a scalar. */
function takeApart(vectors: readonly Tensor[], leaves: readonly Tensor[]): Tensor[][] {
  const rest = [...vectors];
  return leaves.map(({ ndim }) => rest.splice(0, Math.max(1, ndim)));
}
