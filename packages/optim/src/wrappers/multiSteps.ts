import {
  add,
  all,
  astype,
  divide,
  greaterEqual,
  isFinite as isFiniteNumber,
  less,
  logicalAnd,
  logicalNot,
  OptionError,
  subtract,
  Tensor,
  where,
  zeros,
} from '@neumann/core';
import { checkOptions, checkValue, flag, positive, type Rule } from '../options.ts';
import type { GradientTransformation, Scalar, TensorTree } from '../protocol.ts';
import {
  beside,
  floatDType,
  leavesOf,
  scalarOf,
  selected,
  sumOfSquares,
  zerosOf,
  zipTrees,
} from '../trees.ts';

/** Whether a gradient is left out of an accumulation: a traced function to `bool[]`. */
export type ShouldSkip = (updates: unknown, gradientStep: Tensor, params: unknown) => Tensor;

/** Options of {@link multiSteps}. */
export interface MultiStepsOptions {
  /** k, the gradients that make a step: a number, or a function of the steps so far (`i32[]`) to an integer scalar. */
  readonly every: number | ((gradientStep: Tensor) => Tensor);
  /** Whether a step takes the mean of its gradients (true) or their sum. */
  readonly useGradMean?: boolean;
  /** Gradients for which this is true are not counted; none by default. */
  readonly shouldSkip?: ShouldSkip;
}

/** State of {@link multiSteps}. */
export interface MultiStepsState<S> {
  /** `i32[]`, gradients since the last step. */
  readonly miniStep: Tensor;
  /** `i32[]`, steps made. */
  readonly gradientStep: Tensor;
  /** `i32[]`, gradients that were skipped. */
  readonly skipped: Tensor;
  /** The mean or sum of gradients since the last step. */
  readonly accumulated: TensorTree;
  readonly innerState: S;
}

const everyRule: Rule = {
  allows: (x) => typeof x === 'function' || (Number.isInteger(x) && (x as number) >= 1),
  range: 'an integer of at least 1, or a function of the steps so far',
};

/**
 * One step of an optimizer for every k gradients (gradient accumulation): updates are 0 in between. So a batch that does
 * not fit into memory is given in parts, as the Neumann paper's batches of 32000.
 *
 * The arithmetic is one program, the same in each step; the state of the optimizer is kept where it makes no step.
 *
 * @throws {OptionError} for options that are unknown or out of range.
 * @example
 * const tx = multiSteps(adam({ learningRate: 1e-3 }), { every: 4, shouldSkip: skipNotFinite });
 */
export function multiSteps<S>(
  inner: GradientTransformation<S>,
  options: MultiStepsOptions,
): GradientTransformation<MultiStepsState<S>> {
  const op = 'multiSteps';
  checkOptions(op, options, {
    every: { ...everyRule, required: true },
    useGradMean: flag,
    shouldSkip: { allows: (x) => typeof x === 'function', range: 'a function' },
  });
  const { every, useGradMean = true, shouldSkip } = options;
  const zero = () => zeros([], 'int32');
  return {
    init: (params) => ({
      miniStep: zero(),
      gradientStep: zero(),
      skipped: zero(),
      accumulated: zerosOf(op, params),
      innerState: inner.init(params),
    }),
    update: (updates, state, params, extra) => {
      const skip = shouldSkip ? shouldSkip(updates, state.gradientStep, params) : scalarOf(0, 'bool');
      if (!(skip instanceof Tensor && skip.dtype === 'bool' && skip.ndim === 0))
        throw new OptionError(`${op}: shouldSkip must give a bool[] tensor; use all() or any().`);
      const { miniStep, gradientStep } = state;
      const k = typeof every === 'number' ? every : astype(every(gradientStep), 'int32');
      const weight = add(miniStep, 1);
      const summed = zipTrees(op, { 'the state': state.accumulated }, { updates }, (a, u) => {
        const g = astype(u, a.dtype);
        // The mean so far: it neither overflows nor depends on k.
        const next = useGradMean
          ? add(a, divide(subtract(g, a), beside(a, astype(weight, a.dtype))))
          : add(a, g);
        return where(skip, a, next);
      });
      const emit = logicalAnd(logicalNot(skip), greaterEqual(weight, k));
      const given = zipTrees(op, { updates }, { summed }, (u, a) => astype(a, u.dtype));
      const [stepped, nextInner] = inner.update(given, state.innerState, params, extra);
      const result = zipTrees(op, { updates }, { stepped }, (u, s) => where(emit, astype(s, u.dtype), 0));
      return [
        result,
        {
          miniStep: where(emit, 0, where(skip, miniStep, weight)),
          gradientStep: add(gradientStep, astype(emit, 'int32')),
          skipped: add(state.skipped, astype(skip, 'int32')),
          accumulated: zipTrees(op, { summed }, {}, (a) => where(emit, 0, a)),
          innerState: selected(emit, nextInner, state.innerState),
        },
      ];
    },
  };
}

/**
 * Skips gradients with NaN or infinity anywhere: for `shouldSkip` of {@link multiSteps}.
 *
 * @example
 * skipNotFinite({ w: tensor([1, Infinity]) }, tensor(0, 'int32'), null)   // true
 */
export const skipNotFinite: ShouldSkip = (updates) => logicalNot(allFinite(updates));

/** Whether all elements of all leaves are finite: `bool[]`. */
export function allFinite(tree: unknown): Tensor {
  return leavesOf(tree)
    .map((x) => all(isFiniteNumber(x)))
    .reduce(logicalAnd, scalarOf(1, 'bool'));
}

/**
 * Skips gradients whose squared norm is `maxSquaredNorm` or more, or NaN: for `shouldSkip` of {@link multiSteps}.
 *
 * @example
 * skipLargeUpdates(25)({ w: tensor([3, 4]) }, tensor(0, 'int32'), null)   // true
 */
export function skipLargeUpdates(maxSquaredNorm: Scalar): ShouldSkip {
  checkValue('skipLargeUpdates', 'maxSquaredNorm', maxSquaredNorm, positive);
  return (updates) => {
    const leaves = leavesOf(updates);
    const squares = sumOfSquares(leaves, floatDType(leaves));
    return logicalNot(less(squares, beside(squares, maxSquaredNorm)));
  };
}
