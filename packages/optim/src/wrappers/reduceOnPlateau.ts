import {
  add,
  astype,
  divide,
  equal,
  greater,
  greaterEqual,
  less,
  logicalAnd,
  maximum,
  multiply,
  subtract,
  type Tensor,
  where,
  zeros,
} from '@neumann/core';
import { lossOf } from '../extra.ts';
import { checkOptions, fraction, integerFrom, nonNegative, type RulesOf } from '../options.ts';
import type { GradientTransformation, Scalar } from '../protocol.ts';
import { beside, floatDType, leavesOf, scalarOf, zipTrees } from '../trees.ts';

/** Options of {@link reduceOnPlateau}. */
export interface ReduceOnPlateauOptions {
  /** What the scale is multiplied by; 0.1. */
  readonly factor?: Scalar;
  /** How many losses without progress are allowed; 10. */
  readonly patience?: Scalar;
  /** Progress is a loss below `(1 - rtol) best - atol`; 1e-4. */
  readonly rtol?: Scalar;
  /** 0. */
  readonly atol?: Scalar;
  /** Losses after a reduction that are not counted; 0. */
  readonly cooldown?: Scalar;
  /** Steps whose mean loss counts as one; 1. */
  readonly accumulationSize?: Scalar;
  /** The least scale; 0. */
  readonly minScale?: Scalar;
}

/** State of {@link reduceOnPlateau}. */
export interface ReduceOnPlateauState {
  /** What updates are multiplied by. */
  readonly scale: Tensor;
  readonly bestValue: Tensor;
  /** `i32[]`, losses in a row without progress. */
  readonly plateauCount: Tensor;
  /** `i32[]`, losses that are still not counted. */
  readonly cooldownCount: Tensor;
  /** `i32[]`, steps in the mean. */
  readonly count: Tensor;
  /** The mean loss of these steps. */
  readonly averageValue: Tensor;
}

const rules: RulesOf<ReduceOnPlateauOptions> = {
  factor: fraction,
  patience: integerFrom(1),
  rtol: fraction,
  atol: nonNegative,
  cooldown: integerFrom(0),
  accumulationSize: integerFrom(1),
  minScale: nonNegative,
};

/**
 * Scales updates down when the loss has not fallen for some time: at the end of a chain. Needs `extra.value`, the loss.
 *
 * @throws {OptionError} for options that are unknown or out of range, and without `extra.value`.
 * @example
 * const tx = chain(adam({ learningRate: 1e-2 }), reduceOnPlateau({ factor: 0.5, patience: 5, accumulationSize: 100 }));
 */
export function reduceOnPlateau(
  options: ReduceOnPlateauOptions = {},
): GradientTransformation<ReduceOnPlateauState> {
  const op = 'reduceOnPlateau';
  checkOptions(op, options, rules);
  const { factor = 0.1, patience = 10, rtol = 1e-4, atol = 0 } = options;
  const { cooldown = 0, accumulationSize = 1, minScale = 0 } = options;
  const int = (x: Scalar) => scalarOf(x, 'int32');
  return {
    init: (params) => {
      const dtype = floatDType(leavesOf(params));
      return {
        scale: scalarOf(1, dtype),
        bestValue: scalarOf(Infinity, dtype),
        plateauCount: zeros([], 'int32'),
        cooldownCount: zeros([], 'int32'),
        count: zeros([], 'int32'),
        averageValue: zeros([], dtype),
      };
    },
    update: (updates, state, _, extra) => {
      const value = beside(state.averageValue, lossOf(op, extra));
      const count = add(state.count, 1);
      const average = add(
        state.averageValue,
        divide(subtract(value, state.averageValue), astype(count, value.dtype)),
      );
      const isFull = greaterEqual(count, int(accumulationSize));
      const judged = judge(state, average);
      const next: ReduceOnPlateauState = {
        scale: where(isFull, judged.scale, state.scale),
        bestValue: where(isFull, judged.bestValue, state.bestValue),
        plateauCount: where(isFull, judged.plateauCount, state.plateauCount),
        cooldownCount: where(isFull, judged.cooldownCount, state.cooldownCount),
        count: where(isFull, 0, count),
        averageValue: where(isFull, 0, average),
      };
      return [zipTrees(op, { updates }, {}, (u) => multiply(beside(u, next.scale), u)), next];
    },
  };

  function judge(state: ReduceOnPlateauState, value: Tensor) {
    const { bestValue, scale } = state;
    const goal = subtract(multiply(subtract(1, beside(value, rtol)), bestValue), beside(value, atol));
    const improves = less(value, goal);
    const waits = greater(state.cooldownCount, 0);
    const stalled = where(improves, 0, add(state.plateauCount, 1));
    const reduces = logicalAnd(equal(waits, false), greaterEqual(stalled, int(patience)));
    const lower = maximum(multiply(beside(value, factor), scale), beside(value, minScale));
    return {
      scale: where(reduces, lower, scale),
      bestValue: where(improves, value, bestValue),
      plateauCount: where(waits, 0, where(reduces, 0, stalled)),
      cooldownCount: where(waits, subtract(state.cooldownCount, 1), where(reduces, int(cooldown), 0)),
    };
  }
}
