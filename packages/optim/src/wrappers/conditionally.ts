import { add, OptionError, Tensor, where, zeros } from '@neumann/core';
import { checkValue } from '../options.ts';
import type { ExtraArgs, GradientTransformation } from '../protocol.ts';
import { selected, zipTrees } from '../trees.ts';

/** Whether a transformation is applied in a step: a traced function of the steps before it, `i32[]`, to `bool[]`. */
export type ShouldTransform = (count: Tensor, extra: ExtraArgs) => Tensor;

/** State of {@link conditionallyTransform} and {@link conditionallyMask}. */
export interface ConditionalState<S> {
  /** `i32[]`, steps so far. */
  readonly count: Tensor;
  readonly innerState: S;
}

/**
 * Applies a transformation in some steps; in the others updates pass as they are, and its state stays.
 *
 * @example
 * const tx = conditionallyTransform(clipByGlobalNorm(1), (count) => less(count, 1000));
 */
export function conditionallyTransform<S>(
  inner: GradientTransformation<S>,
  shouldTransform: ShouldTransform,
): GradientTransformation<ConditionalState<S>> {
  return conditionally('conditionallyTransform', inner, shouldTransform, (u) => u);
}

/**
 * Applies a transformation in some steps; in the others updates become 0, and its state stays.
 *
 * @example
 * const everyOther = conditionallyMask(sgd({ learningRate: 0.1 }), (count) => equal(remainder(count, 2), 0));
 */
export function conditionallyMask<S>(
  inner: GradientTransformation<S>,
  shouldTransform: ShouldTransform,
): GradientTransformation<ConditionalState<S>> {
  return conditionally('conditionallyMask', inner, shouldTransform, () => 0);
}

function conditionally<S>(
  op: string,
  inner: GradientTransformation<S>,
  shouldTransform: ShouldTransform,
  otherwise: (u: Tensor) => Tensor | number,
): GradientTransformation<ConditionalState<S>> {
  checkValue(op, 'shouldTransform', shouldTransform, {
    allows: (x) => typeof x === 'function',
    range: 'a function of the step count',
  });
  return {
    init: (params) => ({ count: zeros([], 'int32'), innerState: inner.init(params) }),
    update: (updates, state, params, extra = {}) => {
      const applies = shouldTransform(state.count, extra);
      if (!(applies instanceof Tensor && applies.dtype === 'bool' && applies.ndim === 0))
        throw new OptionError(
          `${op}: shouldTransform must give a bool[] tensor, but gave ${String(applies)}.`,
        );
      const [stepped, next] = inner.update(updates, state.innerState, params, extra);
      const result = zipTrees(op, { updates }, { stepped }, (u, s) => where(applies, s, otherwise(u)));
      return [result, { count: add(state.count, 1), innerState: selected(applies, next, state.innerState) }];
    },
  };
}
