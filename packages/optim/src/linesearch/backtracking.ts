import {
  add,
  less,
  lessEqual,
  logicalAnd,
  logicalNot,
  minimum,
  multiply,
  type Tensor,
  valueAndGrad,
  where,
  whileLoop,
  zeros,
} from '@neumann/core';
import {
  checkOptions,
  flag,
  fraction,
  knownInteger,
  nonNegative,
  positive,
  type RulesOf,
  required,
} from '../options.ts';
import type { GradientTransformation, Scalar } from '../protocol.ts';
import { beside, floatDType, leavesOf, scalarOf, zerosOf, zipTrees } from '../trees.ts';
import { type LinesearchState, rayOf } from './state.ts';

/** Options of {@link scaleByBacktrackingLinesearch}. */
export interface BacktrackingOptions {
  /** The greatest number of reductions. */
  readonly maxBacktrackingSteps: number;
  /** c: how much of the decrease that the slope promises is enough; 1e-4. */
  readonly slopeRtol?: Scalar;
  /** What a step is multiplied by when it is too long; 0.8. */
  readonly decreaseFactor?: Scalar;
  /** What the last step is multiplied by for the first guess; 1.5. */
  readonly increaseFactor?: Scalar;
  /** The greatest step; 1. */
  readonly maxLearningRate?: Scalar;
  /** How far the loss may exceed the condition, absolutely; 0. */
  readonly atol?: Scalar;
  /** How far the loss may exceed the condition, as a part of the loss; 0. */
  readonly rtol?: Scalar;
  /** Whether the gradient at the new point is computed and kept, for {@link valueAndGradFromState}; false. */
  readonly storeGrad?: boolean;
}

const rules: RulesOf<BacktrackingOptions> = {
  maxBacktrackingSteps: required(knownInteger(1)),
  slopeRtol: fraction,
  decreaseFactor: fraction,
  increaseFactor: positive,
  maxLearningRate: positive,
  atol: nonNegative,
  rtol: nonNegative,
  storeGrad: flag,
};

/**
 * Multiplies updates by a step that makes the loss fall enough (Armijo 1966): the first of `t, decreaseFactor t, …` with
 *
 *     f(w + t u) ≤ (1 + rtol) f(w) + slopeRtol t ⟨u, g⟩ + atol
 *
 * and by 0 if none does. The updates must descend: put `scale(-1)` before. Needs `extra.value`, `extra.grad` and
 * `extra.valueFn`.
 *
 * @throws {OptionError} for options that are unknown, missing or out of range, and without the extra arguments.
 * @example
 * const tx = chain(sgd({ learningRate: 1 }), scaleByBacktrackingLinesearch({ maxBacktrackingSteps: 15 }));
 */
export function scaleByBacktrackingLinesearch(
  options: BacktrackingOptions,
): GradientTransformation<LinesearchState> {
  const op = 'scaleByBacktrackingLinesearch';
  checkOptions(op, options, rules);
  const { maxBacktrackingSteps, slopeRtol = 1e-4, decreaseFactor = 0.8, increaseFactor = 1.5 } = options;
  const { maxLearningRate = 1, atol = 0, rtol = 0, storeGrad = false } = options;
  return {
    init: (params) => {
      const dtype = floatDType(leavesOf(params));
      return {
        learningRate: scalarOf(maxLearningRate, dtype),
        value: scalarOf(Infinity, dtype),
        grad: storeGrad ? zerosOf(op, params) : null,
        steps: zeros([], 'int32'),
      };
    },
    update: (updates, state, params, extra) => {
      const ray = rayOf(op, params, updates, extra);
      const scalar = (x: Scalar) => scalarOf(x, ray.dtype);
      const goal = add(multiply(add(1, scalar(rtol)), ray.value), scalar(atol));
      const isEnough = (t: Tensor, value: Tensor) =>
        lessEqual(value, add(goal, multiply(multiply(scalar(slopeRtol), t), ray.slope)));
      const guess = minimum(multiply(scalar(increaseFactor), state.learningRate), scalar(maxLearningRate));
      const search = whileLoop(
        ({ t, value, steps }) =>
          logicalAnd(logicalNot(isEnough(t, value)), less(steps, maxBacktrackingSteps)),
        ({ t, steps }) => {
          const shorter = multiply(scalar(decreaseFactor), t);
          return { t: shorter, value: ray.valueFn(ray.at(shorter)), steps: add(steps, 1) };
        },
        { t: guess, value: ray.valueFn(ray.at(guess)), steps: zeros([], 'int32') },
      );
      const found = isEnough(search.t, search.value);
      const step = where(found, search.t, 0);
      const result = zipTrees(op, { updates }, {}, (u) => multiply(beside(u, step), u));
      const grad = state.grad && valueAndGrad(ray.valueFn as never)(ray.at(step))[1];
      const value = where(found, search.value, ray.value);
      return [result, { learningRate: search.t, value, grad, steps: add(search.steps, 1) }];
    },
  };
}
