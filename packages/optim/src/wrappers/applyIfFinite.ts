import { add, greater, logicalOr, type Tensor, where, zeros } from '@neumann/core';
import { checkOptions, integerFrom, required } from '../options.ts';
import type { GradientTransformation, Scalar } from '../protocol.ts';
import { scalarOf, selected, zipTrees } from '../trees.ts';
import { allFinite } from './multiSteps.ts';

/** State of {@link applyIfFinite}. */
export interface ApplyIfFiniteState<S> {
  /** `i32[]`, gradients in a row that were not finite. */
  readonly notFiniteCount: Tensor;
  /** `bool[]`, whether the last gradient was finite. */
  readonly lastFinite: Tensor;
  /** `i32[]`, gradients that were not finite. */
  readonly totalNotFinite: Tensor;
  readonly innerState: S;
}

/**
 * Makes no step, and leaves the state as it is, where gradients have NaN or infinity in them; but the
 * `maxConsecutiveErrors + 1`th such gradient in a row is let through, so that broken training does not pass unnoticed.
 *
 * @throws {OptionError} for options that are unknown, missing or out of range.
 * @example
 * const tx = applyIfFinite(adam({ learningRate: 1e-3 }), { maxConsecutiveErrors: 5 });
 */
export function applyIfFinite<S>(
  inner: GradientTransformation<S>,
  options: { readonly maxConsecutiveErrors: Scalar },
): GradientTransformation<ApplyIfFiniteState<S>> {
  const op = 'applyIfFinite';
  checkOptions(op, options, { maxConsecutiveErrors: required(integerFrom(0)) });
  const { maxConsecutiveErrors } = options;
  const zero = () => zeros([], 'int32');
  return {
    init: (params) => ({
      notFiniteCount: zero(),
      lastFinite: scalarOf(1, 'bool'),
      totalNotFinite: zero(),
      innerState: inner.init(params),
    }),
    update: (updates, state, params, extra) => {
      const isGood = allFinite(updates);
      const notFiniteCount = where(isGood, 0, add(state.notFiniteCount, 1));
      const applies = logicalOr(isGood, greater(notFiniteCount, scalarOf(maxConsecutiveErrors, 'int32')));
      const [stepped, nextInner] = inner.update(updates, state.innerState, params, extra);
      const result = zipTrees(op, { updates: stepped }, {}, (u) => where(applies, u, 0));
      return [
        result as never,
        {
          notFiniteCount,
          lastFinite: isGood,
          totalNotFinite: where(isGood, state.totalNotFinite, add(state.totalNotFinite, 1)),
          innerState: selected(applies, nextInner, state.innerState),
        },
      ];
    },
  };
}
