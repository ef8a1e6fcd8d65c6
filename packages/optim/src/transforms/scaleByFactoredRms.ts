import {
  add,
  astype,
  divide,
  expandDims,
  mean,
  multiply,
  negative,
  power,
  rsqrt,
  type Shape,
  square,
  subtract,
  type Tensor,
  treeFlatten,
  treeUnflatten,
  zeros,
} from '@neumann/core';
import {
  checkOptions,
  flag,
  fraction,
  integerFrom,
  knownInteger,
  nonNegative,
  type RulesOf,
} from '../options.ts';
import type { GradientTransformation, Scalar, TensorTree } from '../protocol.ts';
import { beside, checkFloats, countFor, leavesOf, sameForm } from '../trees.ts';
import { mixed } from './mixed.ts';

/** Options of {@link scaleByFactoredRms}. */
export interface ScaleByFactoredRmsOptions {
  /** Whether tensors of two large axes are described by two vectors; true. */
  readonly factored?: boolean;
  /** The exponent c: the average of squares decays by `1 - t^-c` in step t; 0.8. */
  readonly decayRate?: Scalar;
  /** Steps that the clock is behind, for fine-tuning; 0. */
  readonly stepOffset?: Scalar;
  /** An axis is large from this size; 128. */
  readonly minDimSizeToFactor?: number;
  /** Added to squares; 1e-30. */
  readonly eps?: Scalar;
}

/** State of {@link scaleByFactoredRms}. */
export interface ScaleByFactoredRmsState {
  /** `i32[]`, updates made. */
  readonly count: Tensor;
  /** Moving averages of squares: for each tensor `[v]`, or `[row, column]`, its means over one large axis each. */
  readonly moments: TensorTree;
}

export const factoredRules: RulesOf<ScaleByFactoredRmsOptions> = {
  factored: flag,
  decayRate: fraction,
  stepOffset: integerFrom(0),
  minDimSizeToFactor: knownInteger(1),
  eps: nonNegative,
};

/**
 * Divides updates by the root of an average of their squares, which for matrices is remembered by rows and columns only
 * (Adafactor; Shazeer and Stern 2018, https://arxiv.org/abs/1804.04235):
 *
 *     R = d R + (1 - d) mean(g² + eps, columns),   C = d C + (1 - d) mean(g² + eps, rows),   d = 1 - t^-decayRate
 *     u = g / √(R C / mean(R))
 *
 * Tensors without two axes of `minDimSizeToFactor` have an average for each element.
 *
 * @example
 * const tx = chain(scaleByFactoredRms({ minDimSizeToFactor: 2 }), scaleByLearningRate(1e-3));
 */
export function scaleByFactoredRms(
  options: ScaleByFactoredRmsOptions = {},
): GradientTransformation<ScaleByFactoredRmsState> {
  const op = 'scaleByFactoredRms';
  checkOptions(op, options, factoredRules);
  const { factored = true, decayRate = 0.8, stepOffset = 0, minDimSizeToFactor = 128, eps = 1e-30 } = options;
  const axesOf = (shape: Shape) => (factored ? largeAxes(shape, minDimSizeToFactor) : undefined);
  return {
    init: (params) => {
      checkFloats(op, params);
      const moments = leavesOf(params).map(({ shape, dtype }) =>
        (axesOf(shape) ?? [-1]).map((axis) =>
          zeros(
            shape.filter((_, i) => i !== axis),
            dtype,
          ),
        ),
      );
      return { count: zeros([], 'int32'), moments: treeUnflatten(treeFlatten(params).structure, moments) };
    },
    update: (updates, state, params) => {
      const grads = sameForm(op, 'params', params, 'updates', updates);
      const count = add(state.count, 1);
      const time = countFor(updates, subtract(count, stepOffset));
      const decay = subtract(1, power(time, negative(beside(time, decayRate))));
      const old = leavesOf(state.moments);
      let next = 0;
      const steps = grads.map((g) => {
        const axes = axesOf(g.shape);
        if (!axes) {
          const v = old[next++] as Tensor;
          const now = mixed(decay, v, squareOf(g, v, eps));
          return { moments: [now], update: multiply(g, astype(rsqrt(now), g.dtype)) };
        }
        const [row, column] = [old[next++] as Tensor, old[next++] as Tensor];
        const squares = squareOf(g, row, eps);
        const rows = mixed(decay, row, mean(squares, { axis: axes[0] }));
        const columns = mixed(decay, column, mean(squares, { axis: axes[1] }));
        return {
          moments: [rows, columns],
          update: multiply(g, astype(inverseRoot(rows, columns, axes), g.dtype)),
        };
      });
      const { structure } = treeFlatten(updates);
      const moments = treeUnflatten<TensorTree>(
        structure,
        steps.map((s) => s.moments),
      );
      return [
        treeUnflatten(
          structure,
          steps.map((s) => s.update),
        ),
        { count, moments },
      ];
    },
  };
}

const squareOf = (g: Tensor, like: Tensor, eps: Scalar): Tensor =>
  add(square(astype(g, like.dtype)), beside(like, eps));

/** `1/√(R C / mean(R))`, in the shape of the tensor. */
function inverseRoot(rows: Tensor, columns: Tensor, [first, second]: readonly [number, number]): Tensor {
  const within = second > first ? second - 1 : second; // the second axis, in `rows`
  const rowFactor = rsqrt(divide(rows, mean(rows, { axis: within, keepdims: true })));
  return multiply(expandDims(rowFactor, first), expandDims(rsqrt(columns), second));
}

/** The largest axis and the second largest, if that is large enough. */
function largeAxes(shape: Shape, least: number): readonly [number, number] | undefined {
  const order = shape.map((_, i) => i).sort((i, j) => (shape[j] as number) - (shape[i] as number));
  const [first, second] = order;
  if (first === undefined || second === undefined || (shape[second] as number) < least) return undefined;
  return [first, second];
}
